"""Time models side by side, in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from trtbuild.core.errors import TrtbuildError
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.core.options import Options
from trtbuild.core.timing import Machine, NotRun, Shapes, SpeedRow, StreamRate, TimedVariant
from trtbuild.steps.base import Context, Step
from trtbuild.steps.timed_subjects import (
    TimedSubject,
    Timings,
    describe_variant,
    list_pairs,
)
from trtbuild.timing.base import OpenRunner
from trtbuild.timing.cuda import find_bus
from trtbuild.timing.inputs import find_batch
from trtbuild.timing.kinds import AnyRunner
from trtbuild.timing.machine import BusyWatch, describe_machine
from trtbuild.timing.nvml import GpuMeter, GpuWatch
from trtbuild.timing.parallel import run_streams
from trtbuild.timing.rounds import Lane, Meter, run_rounds

__all__ = ["MeasuredSpeed", "TimeRunners"]


class MeasuredSpeed(Options):
    """What was timed in one process."""

    machine: Machine
    variants: tuple[TimedVariant, ...]
    rows: tuple[SpeedRow, ...]
    not_run: tuple[NotRun, ...]
    doubts: tuple[str, ...] = ()


@dataclass
class _Opened:
    variant: TimedVariant
    runner: OpenRunner


class TimeRunners(Step):
    """Time models and engines in turn, at each set of shapes.

    It is run outside of plans: what took so long once may not the next time.
    """

    outputs: ClassVar[Mapping[str, str]] = {"speed": "speed.json"}

    kind: Literal["time_runners"] = "time_runners"
    subjects: tuple[TimedSubject, ...]
    runners: tuple[AnyRunner, ...]
    timings: Timings
    flavour: str = ""
    """The kind of target under whose Python engines run; empty for all else."""

    def needs(self) -> Needs:
        """Need a process of its own, and for engines a GPU alone."""
        gpu = GpuNeed(alone=True) if self.flavour else None
        return Needs(kind=self.flavour, gpu=gpu, own_process=True)

    def run(self, context: Context) -> None:
        """Write speed.json.

        Raises:
            StepInputError: the shapes are no model's.
        """
        setting = self.timings.setting()
        pairs, left = list_pairs(self.subjects, self.runners, context, self.timings)
        opened: list[_Opened] = []
        for subject, located, runner in pairs:
            try:
                model = runner.open(located, setting)
                told = describe_variant(subject, located, runner, model, context)
                opened.append(_Opened(told, model))
            except TrtbuildError as error:
                left.append(NotRun(name=f"{subject.name}/{runner.label()}", reason=error.message))
        on_gpu = any(each.variant.on == "gpu" for each in opened)
        gpu = GpuWatch(find_bus()) if on_gpu else None
        watch = BusyWatch()
        with watch.watching():
            rows = self._time_all(opened, left, context, gpu)
        for each in opened:
            each.runner.close()
        name, driver = ("", "") if gpu is None else gpu.describe()
        state = {**watch.describe(), **({} if gpu is None else gpu.state())}
        more = () if gpu is None else (*filter(None, [gpu.why_not]), *gpu.list_doubts())
        machine = describe_machine(gpu=name, driver=driver)
        found = MeasuredSpeed(
            machine=machine.model_copy(update={"state": state}),
            variants=tuple(each.variant for each in opened),
            rows=tuple(rows),
            not_run=tuple(left),
            doubts=(*watch.list_doubts(), *more),
        )
        self.write(context, "speed", found)

    def _time_all(
        self,
        opened: list[_Opened],
        left: list[NotRun],
        context: Context,
        gpu: GpuWatch | None,
    ) -> list[SpeedRow]:
        rows = []
        samples = self.timings.fed.read(context) if self.timings.fed is not None else []
        total = len(self.timings.shapes) * self.timings.protocol.rounds
        for place, shapes in enumerate(self.timings.shapes):
            made: list[tuple[Lane, Shapes, str, int | None]] = []
            for each in opened:
                name = each.variant.name
                try:
                    inputs = each.runner.inputs
                    arrays, whole, source = self.timings.make_feed(inputs, shapes, samples)
                    each.runner.feed(arrays)
                except TrtbuildError as error:
                    left.append(NotRun(name=f"{name} at {shapes}", reason=error.message))
                    continue
                told = self.timings.fed.inputs if self.timings.fed is not None else {}
                batch = find_batch(inputs, whole, told)
                watched = gpu is not None and each.variant.on == "gpu"
                meter = GpuMeter(gpu) if watched and gpu is not None else Meter()
                made.append((Lane(name, each.runner, meter), whole, source, batch))
            run_rounds(
                [lane for lane, *_ in made],
                self.timings.protocol,
                progress=_report(context, place * self.timings.protocol.rounds, total),
            )
            for lane, whole, source, batch in made:
                row = lane.row(shapes=whole, batch=batch, inputs=source)
                rows.append(row.model_copy(update={"streams": self._rate(lane, row)}))
        return rows

    def _rate(self, lane: Lane, row: SpeedRow) -> tuple[StreamRate, ...]:
        """Measure what several callers at once come to; of one, the row itself tells."""
        protocol = self.timings.protocol
        seconds = protocol.seconds
        if protocol.iterations is not None:
            seconds = protocol.iterations * row.host.mean / 1000
        return tuple(
            run_streams(lane.runner, count, seconds=seconds, batch=row.batch)
            for count in protocol.streams
            if count > 1
        )


def _report(context: Context, before: int, total: int) -> Callable[[int, int], None]:
    def tell(done: int, _: int) -> None:
        context.events.progress(before + done, total, "rounds")

    return tell
