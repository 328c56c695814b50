from __future__ import annotations

from tests.steps.test_merge_histograms import cluster
from trtbuild.calib.shards import read_shard

__all__ = ["cluster"]


def test_samples_are_dealt_in_turn(cluster):
    """Of thirteen samples in three shards the first has five, and every tensor is seen."""
    found = [
        read_shard(cluster.folder / cluster.collect(shard, 3) / "histograms.npz")
        for shard in (1, 2, 3)
    ]

    assert [5, 4, 4] == [shard.samples for shard in found]
    assert [5 * 4, 4 * 4, 4 * 4] == [shard.histograms["x"].total for shard in found]
    assert {("r", "x")} == {tuple(sorted(shard.histograms)) for shard in found}


def test_equal_work_gives_equal_bytes(cluster):
    """Collecting a shard again gives the same file."""
    one = (cluster.folder / cluster.collect(1, 2) / "histograms.npz").read_bytes()
    (cluster.folder / "1of2").rename(cluster.folder / "before")

    assert one == (cluster.folder / cluster.collect(1, 2) / "histograms.npz").read_bytes()
