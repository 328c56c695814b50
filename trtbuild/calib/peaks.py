"""The largest absolute value of each tensor: what 16-bit types are judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trtbuild.calib.observe import Observer
from trtbuild.model.feeds import Feed

__all__ = ["measure_peaks"]


def measure_peaks(
    observer: Observer, feeds: Iterable[Feed], *, progress: Callable[[int], None]
) -> tuple[dict[str, float], int]:
    """Run every feed; return the largest |x| of each tensor, and the samples consumed.

    Infinities and NaNs are left out: 16-bit types have them too, and masks are made of them.

    Raises:
        StepInputError: a feed cannot be run.
    """
    import numpy as np

    found = dict.fromkeys(observer.tensors, 0.0)
    consumed = 0
    for feed in feeds:
        with feed.blamed():
            seen = observer.values(feed.arrays)
        for name, values in seen:
            sizes = np.abs(values)
            most = float(np.max(sizes, where=np.isfinite(sizes), initial=0))
            found[name] = max(found[name], most)
        consumed += len(feed.samples)
        progress(consumed)
    return found, consumed
