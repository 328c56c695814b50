"""Start one model in a process that has nothing else: what the first call costs, and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.core.timing import ColdStart
from trtbuild.steps.base import Context, Step
from trtbuild.steps.timed_subjects import TimedSubject, Timings
from trtbuild.timing.base import Arrays, OpenRunner
from trtbuild.timing.cold import measure_cold_start
from trtbuild.timing.cuda import find_bus
from trtbuild.timing.kinds import AnyRunner
from trtbuild.timing.nvml import GpuWatch

__all__ = ["TimeStart"]


class TimeStart(Step):
    """Load a model and call it once at each set of shapes."""

    outputs: ClassVar[Mapping[str, str]] = {"start": "start.json"}

    kind: Literal["time_start"] = "time_start"
    subject: TimedSubject
    runner: AnyRunner
    timings: Timings
    flavour: str = ""

    def needs(self) -> Needs:
        """Need a process of its own, and for an engine a GPU alone."""
        gpu = GpuNeed(alone=True) if self.flavour else None
        return Needs(kind=self.flavour, gpu=gpu, own_process=True)

    def run(self, context: Context) -> None:
        """Write start.json.

        Raises:
            TrtbuildError: it does not load, or does not run at a shape.
        """
        samples = self.timings.fed.read(context) if self.timings.fed is not None else []

        def make_feeds(opened: OpenRunner) -> Sequence[Arrays]:
            return [
                self.timings.make_feed(opened.inputs, shapes, samples)[0]
                for shapes in self.timings.shapes
            ]

        # Asked before anything of CUDA is loaded: what is taken then is others'.
        bus = find_bus()
        watch = GpuWatch(bus) if bus else None
        before = None if watch is None else watch.read_used_bytes()

        def read_device_bytes() -> int | None:
            now = None if watch is None else watch.read_used_bytes()
            return None if now is None or before is None else max(0, now - before)

        found: ColdStart = measure_cold_start(
            self.runner,
            self.subject.locate(context),
            self.timings.setting(),
            make_feeds,
            read_device_bytes,
        )
        self.write(context, "start", found)
