from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.histogram import Histogram
from trtbuild.calib.shards import Shard, read_shard, write_shard
from trtbuild.core.arrays import write_npz
from trtbuild.core.errors import CorruptObject


def histogram_of(values, *, counted=True):
    histogram = Histogram(counted=counted)
    histogram.add(np.asarray(values, np.float32))
    return histogram


def state_of(histogram):
    return (
        histogram.low,
        histogram.high,
        histogram.total,
        histogram.exponent,
        histogram.counts.tolist(),
    )


def test_comes_back_as_it_was(tmp_path):
    """Counted, uncounted, empty, and with any name."""
    shard = Shard(
        2,
        3,
        17,
        {
            "/layer1/Conv:0": histogram_of([-3, 0, 1.5]),
            "a": histogram_of([], counted=True),
            "extents": histogram_of([1, 2], counted=False),
        },
    )

    write_shard(tmp_path / "one.npz", shard)

    found = read_shard(tmp_path / "one.npz")
    assert (2, 3, 17) == (found.index, found.count, found.samples)
    assert {name: state_of(h) for name, h in shard.histograms.items()} == {
        name: state_of(h) for name, h in found.histograms.items()
    }


def test_equal_shards_give_equal_bytes(tmp_path):
    """The order of the tensors does not show."""
    one, other = histogram_of([1, 2]), histogram_of([3])

    write_shard(tmp_path / "one", Shard(1, 1, 2, {"a": one, "b": other}))
    write_shard(tmp_path / "other", Shard(1, 1, 2, {"b": other, "a": one}))

    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_something_else_is_refused(tmp_path):
    """Neither a torn file nor other arrays pass for histograms."""
    (tmp_path / "torn").write_bytes(b"PK")
    with write_npz(tmp_path / "other") as arrays:
        arrays.add("x", np.zeros(3))

    for name in ("torn", "other"):
        with pytest.raises(CorruptObject, match=name):
            read_shard(tmp_path / name)
