"""Histograms in a file, so that shards of a calibration can be collected apart and merged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trtbuild.calib.histogram import Histogram
from trtbuild.core.arrays import ArrayFile, write_npz
from trtbuild.core.errors import CorruptObject

__all__ = ["Shard", "read_shard", "write_shard"]

_COUNTS = "counts/"


@dataclass(frozen=True)
class Shard:
    """Part `index` (from 1) of `count` of a calibration: what its samples showed."""

    index: int
    count: int
    samples: int
    histograms: dict[str, Histogram]


def write_shard(path: Path, shard: Shard) -> None:
    """Write a shard; equal shards give equal bytes, whatever order they were collected in."""
    import numpy as np

    with write_npz(path) as arrays:
        arrays.add("shard", np.array([shard.index, shard.count, shard.samples], np.int64))
        rows = sorted(shard.histograms.items())
        arrays.add("extents", np.array([[h.low, h.high] for _, h in rows]).reshape(-1, 2))
        sizes = [[h.total, h.exponent, h.counts.size] for _, h in rows]
        arrays.add("sizes", np.array(sizes, np.int64).reshape(-1, 3))
        for name, histogram in rows:
            arrays.add(_COUNTS + name, np.trim_zeros(histogram.counts, "b"))


def read_shard(path: Path) -> Shard:
    """Read what `write_shard` wrote.

    Raises:
        CorruptObject: the file holds something else.
    """
    arrays = ArrayFile(path)
    try:
        index, count, samples = (int(number) for number in arrays.read("shard"))
        names = [name for name in arrays.names if name.startswith(_COUNTS)]
        histograms = {
            name.removeprefix(_COUNTS): _histogram(arrays, name, row)
            for row, name in enumerate(names)
        }
    except (KeyError, IndexError, ValueError) as error:
        raise CorruptObject(f"{path}: holds no histograms ({error})") from error
    return Shard(index, count, samples, histograms)


def _histogram(arrays: ArrayFile, name: str, row: int) -> Histogram:
    low, high = (float(bound) for bound in arrays.read("extents")[row])
    total, exponent, bins = (int(number) for number in arrays.read("sizes")[row])
    histogram = Histogram(counted=bins > 0)
    histogram.low, histogram.high = low, high
    histogram.total, histogram.exponent = total, exponent
    counts = arrays.read(name)
    histogram.counts[: counts.size] = counts
    return histogram
