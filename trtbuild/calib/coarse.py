"""Histograms of calibration, reduced to what is worth keeping: a few bins an octave."""

from __future__ import annotations

from collections.abc import Mapping

from trtbuild.calib.histogram import Histogram
from trtbuild.core.histograms import BINS, PER_OCTAVE, Histograms, ValueCounts

__all__ = ["make_coarse"]


def make_coarse(histograms: Mapping[str, Histogram]) -> Histograms:
    """Reduce the histograms that were counted and hold anything but zeros."""
    counted = {name: one for name, one in sorted(histograms.items()) if one.counts.size}
    return Histograms(tensors={name: _reduce(one) for name, one in counted.items() if one.absmax})


def _reduce(histogram: Histogram) -> ValueCounts:
    """Count between edges; inside a fine bin the values are taken to be spread evenly."""
    import numpy as np

    fine = histogram.counts
    edges = histogram.absmax * 2.0 ** (np.arange(-BINS, 1) / PER_OCTAVE)
    below = np.concatenate(([0], np.cumsum(fine)))
    found = np.rint(np.interp(edges / histogram.width, np.arange(fine.size + 1), below))
    found[-1] = histogram.total
    counts = np.diff(found.astype(np.int64))
    return ValueCounts(largest=histogram.absmax, below=int(found[0]), counts=tuple(counts.tolist()))
