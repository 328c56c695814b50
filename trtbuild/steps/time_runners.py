"""Time models side by side, in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.durations import format_shapes
from trtbuild.core.errors import TrtbuildError
from trtbuild.core.layer_times import LayerProfiles
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.core.options import Options
from trtbuild.core.timing import Machine, NotRun, Shapes, SpeedRow, StreamRate, TimedVariant
from trtbuild.steps.base import Context, Step
from trtbuild.steps.timed_layers import Fed, take_apart
from trtbuild.steps.timed_subjects import (
    TimedSubject,
    Timings,
    describe_variant,
    list_pairs,
)
from trtbuild.timing.base import Arrays, OpenRunner, RunnerKind, TimedModel
from trtbuild.timing.cuda import find_bus
from trtbuild.timing.inputs import find_batch
from trtbuild.timing.kinds import AnyRunner
from trtbuild.timing.machine import BusyWatch, describe_machine
from trtbuild.timing.nvml import GpuMeter, GpuWatch
from trtbuild.timing.parallel import run_streams
from trtbuild.timing.rounds import Lane, Meter, run_rounds

if TYPE_CHECKING:
    from trtbuild.data.base import Sample

__all__ = ["MeasuredSpeed", "TimeRunners"]


class MeasuredSpeed(Options):
    """What was timed in one process."""

    machine: Machine
    variants: tuple[TimedVariant, ...]
    rows: tuple[SpeedRow, ...]
    not_run: tuple[NotRun, ...]
    layers: LayerProfiles = LayerProfiles()
    doubts: tuple[str, ...] = ()


@dataclass
class _Opened:
    variant: TimedVariant
    runner: OpenRunner
    subject: TimedModel
    kind: RunnerKind
    fed: Fed | None = None
    """As it was last timed."""


@dataclass
class _Turn:
    """A variant at one set of shapes."""

    opened: _Opened
    lane: Lane
    arrays: Arrays
    shapes: Shapes
    inputs: str
    """Where what it is fed comes from, in words."""
    batch: int | None

    def describe(self, call_ms: float) -> Fed:
        """Return it as what takes it apart is told."""
        mine = self.opened
        return Fed(
            self.lane.name, mine.subject, mine.kind, mine.runner, self.arrays, self.shapes, call_ms
        )


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
                opened.append(_Opened(told, model, located, runner))
            except TrtbuildError as error:
                left.append(NotRun(name=f"{subject.name}/{runner.label()}", reason=error.message))
        on_gpu = any(each.variant.on == "gpu" for each in opened)
        gpu = GpuWatch(find_bus()) if on_gpu else None
        watch = BusyWatch()
        with watch.watching():
            rows = self._time_all(opened, left, context, gpu)
        layers = take_apart([each.fed for each in opened if each.fed is not None], setting)
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
            layers=layers,
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
            context.events.progress(place * self.timings.protocol.rounds, total, "rounds")
            turns = list(self._feed_all(opened, left, shapes, samples, gpu))
            run_rounds(
                [each.lane for each in turns],
                self.timings.protocol,
                progress=_report(context, place * self.timings.protocol.rounds, total),
            )
            for each in turns:
                row = each.lane.row(shapes=each.shapes, batch=each.batch, inputs=each.inputs)
                rows.append(self._rate(each.lane, row))
                each.opened.fed = each.describe(row.host.mean)
        return rows

    def _feed_all(
        self,
        opened: list[_Opened],
        left: list[NotRun],
        shapes: Shapes,
        samples: list[Sample],
        gpu: GpuWatch | None,
    ) -> Iterator[_Turn]:
        told = self.timings.fed.inputs if self.timings.fed is not None else {}
        for each in opened:
            try:
                inputs = each.runner.inputs
                arrays, whole, source = self.timings.make_feed(inputs, shapes, samples)
                each.runner.feed(arrays)
            except TrtbuildError as error:
                name = f"{each.variant.name} at {format_shapes(shapes)}"
                left.append(NotRun(name=name, reason=error.message))
                continue
            watched = gpu is not None and each.variant.on == "gpu"
            meter = GpuMeter(gpu) if watched and gpu is not None else Meter()
            lane = Lane(each.variant.name, each.runner, meter)
            yield _Turn(each, lane, arrays, whole, source, find_batch(inputs, whole, told))

    def _rate(self, lane: Lane, row: SpeedRow) -> SpeedRow:
        """Measure what several callers at once come to; of one, the row itself tells."""
        protocol = self.timings.protocol
        seconds = protocol.seconds
        if protocol.iterations is not None:
            seconds = protocol.iterations * row.host.mean / 1000
        rates: list[StreamRate] = []
        remarks = list(row.remarks)
        for count in (each for each in protocol.streams if each > 1):
            try:
                rates.append(run_streams(lane.runner, count, seconds=seconds, batch=row.batch))
            except TrtbuildError as error:
                remarks.append(f"{count} at once: {error.message}")
        return row.model_copy(update={"streams": tuple(rates), "remarks": tuple(remarks)})


def _report(context: Context, before: int, total: int) -> Callable[[int, int], None]:
    def tell(done: int, _: int) -> None:
        context.events.progress(before + done, total, "rounds")

    return tell
