"""ValueCounts, Histograms: how a tensor's values are spread, coarse enough to keep and to draw."""

import math
from collections.abc import Iterator

from trtbuild.core.options import Options
from trtbuild.core.quantized_types import INT8, QuantizedType

__all__ = ["BINS", "PER_OCTAVE", "Histograms", "ValueCounts"]

PER_OCTAVE = 4
"""Bins between a value and its half."""
BINS = 12 * PER_OCTAVE
"""Half a step of INT8 is eight octaves below the limit: four are left for one that clips."""


class ValueCounts(Options):
    """Of one tensor: how many |x| lie where, in bins that halve towards zero."""

    largest: float
    """The largest |x|, where the last bin ends."""
    below: int
    """How many lie below the first bin, zeros among them."""
    counts: tuple[int, ...]
    """A bin each, the last next to the largest: bin k begins at `edge(k)`."""

    @property
    def total(self) -> int:
        """How many values there are."""
        return self.below + sum(self.counts)

    def edge(self, place: int) -> float:
        """Return where a bin begins."""
        return self.largest * math.exp2((place - len(self.counts)) / PER_OCTAVE)

    def share_above(self, limit: float) -> float:
        """Return about what share of the |x| is larger than a limit."""
        if not self.total or limit >= self.largest:
            return 0.0
        return sum(count for middle, count in self._middles() if middle > limit) / self.total

    def estimate_db(self, limit: float, into: QuantizedType = INT8) -> float:
        """Return about what signal over noise, in dB, a type with a limit leaves; inf if no noise.

        What is beyond the limit is cut off, what is under half a step is lost, and the rest is
        off by a twelfth of a step's square on average; steps of FP8 grow with the value.
        """
        scale = limit / into.largest
        signal = noise = 0.0
        for middle, count in self._middles():
            signal += count * middle**2
            if middle > limit:
                noise += count * (middle - limit) ** 2
            else:
                step = scale * into.spacing(middle / scale)
                noise += count * min(middle**2, step**2 / 12)
        return 10 * math.log10(signal / noise) if signal and noise else math.inf

    def _middles(self) -> Iterator[tuple[float, int]]:
        half = 2.0 ** (0.5 / PER_OCTAVE)
        for place, count in enumerate(self.counts):
            yield self.edge(place) * half, count


class Histograms(Options):
    """`histograms.json`: by tensor, for those whose values were counted."""

    tensors: dict[str, ValueCounts]
