"""The table of ranges behind a quantized model, summed up."""

from collections.abc import Iterable

from trtbuild.core.options import Options
from trtbuild.core.values import Range, Ranges

__all__ = ["RangesUsed", "count_origins", "sum_up"]


class RangesUsed(Options):
    """The table of ranges behind a quantized model: which one, and what found them."""

    digest: str
    """Of ranges.json, as it lies in the build directory."""
    samples: int | None = None
    """How many samples calibration consumed; None where it consumed none."""
    origins: dict[str, int]
    """How many ranges came from where: `calibrated: percentile (percentile: 99.9)`, `manual`."""


def count_origins(ranges: Iterable[Range]) -> dict[str, int]:
    """Count ranges by what found them, in words, sorted."""
    counts: dict[str, int] = {}
    for each in ranges:
        words = f"{each.origin}: {each.found_by}" if each.found_by else each.origin
        counts[words] = counts.get(words, 0) + 1
    return dict(sorted(counts.items()))


def sum_up(ranges: Ranges, digest: str) -> RangesUsed:
    """Sum up a table whose file has a digest."""
    origins = count_origins(ranges.tensors.values())
    return RangesUsed(digest=digest, samples=ranges.samples, origins=origins)
