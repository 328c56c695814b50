"""Put requests that come at a rate on one model, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.core.load import Load, LoadRow
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.core.options import Options
from trtbuild.core.spread import Shapes
from trtbuild.steps.base import Context, Step
from trtbuild.steps.timed_subjects import TimedSubject, Timings
from trtbuild.timing.base import name_variant
from trtbuild.timing.clock import quiet_collector
from trtbuild.timing.kinds import AnyRunner
from trtbuild.timing.load.arrivals import draw_arrivals
from trtbuild.timing.load.callers import Callers
from trtbuild.timing.load.result import Offered, make_row
from trtbuild.timing.load.serving import SteadyClock, serve

__all__ = ["BatchShapes", "MeasuredLoad", "TimeLoad"]


class BatchShapes(Options):
    """A size of batch, and the shapes of inputs then."""

    size: int
    shapes: Shapes


class MeasuredLoad(Options):
    """What came of each rate."""

    rows: tuple[LoadRow, ...]


class TimeLoad(Step):
    """Load a model, and serve requests at each rate, one rate after the other.

    It is run outside of plans, as all that is timed.
    """

    outputs: ClassVar[Mapping[str, str]] = {"load": "load.json"}

    kind: Literal["time_load"] = "time_load"
    subject: TimedSubject
    runner: AnyRunner
    timings: Timings
    load: Load
    batches: tuple[BatchShapes, ...]
    """Smallest first."""
    flavour: str = ""

    def needs(self) -> Needs:
        """Need a process of its own, and for an engine a GPU alone."""
        gpu = GpuNeed(alone=True) if self.flavour else None
        return Needs(kind=self.flavour, gpu=gpu, own_process=True)

    def run(self, context: Context) -> None:
        """Write load.json.

        Raises:
            TrtbuildError: it does not load, or does not run in a batch of one of the sizes.
        """
        samples = self.timings.fed.read(context) if self.timings.fed is not None else []
        opened = self.runner.open(self.subject.locate(context), self.timings.setting())
        made = {
            each.size: self.timings.make_feed(opened.inputs, each.shapes, samples)
            for each in self.batches
        }
        warmup = self.timings.protocol.warmup_seconds
        feeds = {size: arrays for size, (arrays, *_) in made.items()}
        callers = Callers(opened, feeds, warmup_seconds=warmup)
        shapes = made[self.batches[0].size][1]
        rows = []
        for done, rate in enumerate(self.load.rates):
            context.events.progress(done, len(self.load.rates), "rates")
            rows.append(self._serve(rate, callers, shapes))
        callers.close()
        opened.close()
        self.write(context, "load", MeasuredLoad(rows=tuple(rows)))

    def _serve(self, rate: float, callers: Callers, shapes: Shapes) -> LoadRow:
        due = draw_arrivals(self.load, rate)
        with quiet_collector():
            served = serve(
                due,
                callers.call,
                most=self.load.max_batch,
                wait_ns=int(self.load.max_wait_ms * 1e6),
                give_up_ns=int(2e9 * self.load.seconds),
                clock=SteadyClock(),
            )
        name = name_variant(self.subject.name, self.runner.label())
        return make_row(Offered(name, shapes, rate, due, served), self.load)
