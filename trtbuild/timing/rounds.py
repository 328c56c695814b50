"""Several variants timed in turn: each round has a block of calls of each, in a drawn order."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trtbuild.core.protocol import Protocol
from trtbuild.core.timing import DeviceUse, SpeedRow, Spread, WarmUp
from trtbuild.timing.base import OpenRunner
from trtbuild.timing.clock import quiet_collector, time_calls, time_events, warm_up
from trtbuild.timing.quantiles import summarize

__all__ = ["Lane", "Meter", "run_rounds"]

LEAST_CALLS = 4
"""Of a block, be calls ever so slow: its median must mean something."""
OVERDUE = 5
"""A block that takes so many times as long as it was to is ended where it is."""
PARTS = 8
"""A block is looked at so often: no call pays for it."""


class Meter:
    """What is measured around blocks of calls, beside time; this one measures nothing."""

    def start(self) -> None:
        """Begin a block."""

    def stop(self, calls: int) -> None:
        """End it, after so many calls."""

    def use(self) -> DeviceUse | None:
        """Return what it comes to."""
        return None


@dataclass
class Lane:
    """A variant that takes part, and what its blocks took."""

    name: str
    runner: OpenRunner
    meter: Meter = field(default_factory=Meter)
    warmup: WarmUp | None = None
    calls: int = 0
    """Of a block."""
    overdue_ns: float = math.inf
    """What a block may take before it is ended early."""
    ended_early: int = 0
    """How many blocks were."""
    host: list[Sequence[float]] = field(default_factory=list)
    device: list[Sequence[float]] = field(default_factory=list)
    whole: list[Sequence[float]] = field(default_factory=list)

    def warm_up(self, protocol: Protocol) -> None:
        """Run it until it is stable, and choose how many calls make a block."""
        self.warmup, each_ns = warm_up(self.runner.call, cap_seconds=protocol.warmup_seconds)
        if self.runner.has_transfers:
            self.runner.call_whole()
        wanted = protocol.iterations or protocol.seconds * 1e9 / max(each_ns, 1)
        self.calls = max(LEAST_CALLS, math.ceil(wanted / protocol.rounds))
        self.overdue_ns = OVERDUE * self.calls * each_ns

    def run_block(self, settle: int) -> None:
        """Time a block of calls, and one with transfers where there are any."""
        runner = self.runner
        for _ in range(settle):
            runner.call()
        self.meter.start()
        calls = self._time_parts()
        self.meter.stop(calls)
        if runner.has_transfers:
            runner.call_whole()
            self.whole.append(time_calls(runner.call_whole, calls))

    def _time_parts(self) -> int:
        """Time the calls of a block, a few at a time, until all are or it is overdue."""
        runner, host, device = self.runner, array("q"), array("d")
        while len(host) < self.calls:
            count = min(math.ceil(self.calls / PARTS), self.calls - len(host))
            if runner.has_events:
                times, events = time_events(runner.call, runner.read_events_ms, count)
                device.extend(events)
            else:
                times = time_calls(runner.call, count)
            host.extend(times)
            if len(host) >= LEAST_CALLS and sum(host) > self.overdue_ns:
                break
        self.ended_early += len(host) < self.calls
        self.host.append(host)
        if runner.has_events:
            self.device.append(device)
        return len(host)

    def row(
        self, *, shapes: dict[str, tuple[int, ...]], batch: int | None, inputs: str
    ) -> SpeedRow:
        """Return what its blocks come to."""
        assert self.warmup is not None  # noqa: S101  # it has run
        host = summarize(self.host)
        return SpeedRow(
            variant=self.name,
            shapes=shapes,
            batch=batch,
            inputs=inputs,
            host=host,
            device=_summarize(self.device, 1.0),
            transfers=_summarize(self.whole, 1e-6),
            per_second=(batch or 1) * 1000 / host.mean,
            warmup=self.warmup,
            use=self.meter.use(),
            remarks=self._list_remarks(host),
        )

    def _list_remarks(self, host: Spread) -> tuple[str, ...]:
        found = []
        if self.warmup is not None and not self.warmup.stable:
            found.append(f"not stable after {self.warmup.seconds:g} s of warm-up")
        if self.ended_early:
            found.append(
                f"{self.ended_early} of {len(self.host)} blocks were ended early: calls took more "
                f"than {OVERDUE} times as long as when it was warmed up"
            )
        if host.p99.high is None:
            found.append(f"{host.calls} calls do not bound p99 from above")
        return tuple(found)


def _summarize(blocks: Sequence[Sequence[float]], unit_ms: float) -> Spread | None:
    return summarize(blocks, unit_ms=unit_ms) if blocks else None


def run_rounds(
    lanes: Sequence[Lane],
    protocol: Protocol,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Warm all lanes up, then time them block by block, side by side."""
    with quiet_collector():
        for lane in lanes:
            lane.warm_up(protocol)
        drawn = random.Random(protocol.seed)  # noqa: S311  # an order, and no secret
        for done in range(protocol.rounds):
            for lane in drawn.sample(lanes, len(lanes)):
                lane.run_block(protocol.settle)
            progress(done + 1, protocol.rounds)
