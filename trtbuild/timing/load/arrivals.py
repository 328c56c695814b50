"""When requests are due: by chance or evenly, drawn before the first of them comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.load import Load

__all__ = ["draw_arrivals"]


def draw_arrivals(asked: Load, rate: float) -> np.ndarray:
    """Return the times of requests, in ns from the start, in order: at least one.

    Of a Poisson process: gaps are exponential with mean 1 / rate, from the seed alone. Evenly: the
    first at once.
    """
    import numpy as np

    expected = rate * asked.seconds
    if asked.arrivals == "uniform":
        times = np.arange(max(1, round(expected))) / rate
    else:
        drawn = np.random.Generator(np.random.PCG64(asked.seed))
        # So many more than expected that fewer are nearly never enough; else the last come early.
        gaps = drawn.exponential(1 / rate, int(expected + 8 * expected**0.5) + 16)
        times = np.cumsum(gaps)
        times = times[: max(1, int(np.searchsorted(times, asked.seconds)))]
        times[0] = min(times[0], asked.seconds)
    return (times * 1e9).astype(np.int64)
