"""The first steps of a process: library, model, first call, first calls at other shapes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from trtbuild.core.timing import ColdStart
from trtbuild.timing.base import Arrays, OpenRunner, RunnerKind, Setting, TimedModel
from trtbuild.timing.memory import forget_peak, read_peak_bytes, read_resident_bytes

__all__ = ["measure_cold_start"]


def measure_cold_start(
    kind: RunnerKind,
    subject: TimedModel,
    setting: Setting,
    make_feeds: Callable[[OpenRunner], Sequence[Arrays]],
    read_device_bytes: Callable[[], int | None] = lambda: None,
) -> ColdStart:
    """Load a subject in this process, which should be a fresh one, and call it at each shape once.

    `make_feeds` is told the model and makes what it is fed; that is not timed. A first call counts
    from arrays that lie on the host: memory for inputs and outputs is taken then.

    Raises:
        TrtbuildError: it does not load, or does not run at a shape.
    """
    imported = _time(kind.load_library)
    marked, before = forget_peak(), read_resident_bytes()
    begin = time.perf_counter()
    opened = kind.open(subject, setting)
    loaded = 1000 * (time.perf_counter() - begin)
    feeds = make_feeds(opened)
    first, *changed = [_time(partial(opened.feed, feed)) for feed in feeds]
    peak = read_peak_bytes() if marked else None
    grown = None if peak is None or before is None else max(0, peak - before)
    found = ColdStart(
        import_ms=imported,
        load_ms=loaded,
        first_call_ms=first,
        changed_ms=tuple(changed),
        host_peak_bytes=grown,
        device_peak_bytes=read_device_bytes() if kind.place() == "gpu" else None,
        runtime_peak_bytes=opened.peak_bytes(),
    )
    opened.close()
    return found


def _time(run: Callable[[], None]) -> float:
    begin = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - begin)
