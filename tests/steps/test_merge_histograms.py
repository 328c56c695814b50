from __future__ import annotations

import numpy as np
import onnx
import pytest
from pydantic import ValidationError

from tests.helpers.models import model_of
from tests.steps.test_calibrate import MODEL, STEP
from trtbuild.core.errors import StepInputError
from trtbuild.data.base import Manifest, Sample
from trtbuild.steps.base import Context
from trtbuild.steps.calibrate import Calibrate
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.collect_histograms import CollectHistograms
from trtbuild.steps.merge_histograms import MergeHistograms

MERGE = """{
  "parts": %s,
  "manifest": {"step": "capture", "output": "manifest"},
  "calibrator": {"kind": "%s"}
}"""


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Thirteen samples, a model, and the steps as a cluster would run them."""
    return Cluster(tmp_path, monkeypatch)


class Cluster:
    """Runs shards, each in a directory of its own, and merges them."""

    def __init__(self, folder, monkeypatch):
        rows = np.random.default_rng(0).standard_t(2, (13, 4)).astype(np.float32)
        samples = [Sample(str(index), {"x": row}) for index, row in enumerate(rows)]
        monkeypatch.setattr(DataInput, "samples", lambda *_: iter(samples))
        manifest = Manifest(count=13, samples=(), tensors=(), labelled=False)
        (folder / "manifest.json").write_text(manifest.model_dump_json())
        onnx.save(model_of(MODEL), folder / "model.onnx")
        self.folder = folder
        self.inputs = {
            "fix_graph/model": folder / "model.onnx",
            "capture/manifest": folder / "manifest.json",
        }

    def context(self, name):
        """Return a place to run a step in."""
        out = self.folder / name
        out.mkdir()
        return Context(inputs=self.inputs, out=out, threads=2)

    def collect(self, shard, shards):
        """Run one shard."""
        text = STEP.replace('"calibrator": %s', f'"shard": {shard}, "shards": {shards}')
        name = f"{shard}of{shards}"
        CollectHistograms.model_validate_json(text).run(self.context(name))
        self.inputs[f"{name}/histograms"] = self.folder / name / "histograms.npz"
        return name

    def merge(self, names, kind="entropy2"):
        """Merge what the shards collected; returns the bytes of ranges.json."""
        parts = [f'{{"step": "{name}", "output": "histograms"}}' for name in names]
        context = self.context("merged")
        text = MERGE % (f"[{', '.join(parts)}]", kind)
        MergeHistograms.model_validate_json(text).run(context)
        return (context.out / "ranges.json").read_bytes()

    def whole(self, kind):
        """Calibrate in one piece; returns the bytes of ranges.json."""
        context = self.context("whole")
        Calibrate.model_validate_json(STEP % f'{{"kind": "{kind}"}}').run(context)
        return (context.out / "ranges.json").read_bytes()


@pytest.mark.parametrize("kind", ["minmax", "entropy2", "auto"])
@pytest.mark.parametrize("shards", [1, 2, 5])
def test_shards_merge_to_what_one_machine_finds(cluster, shards, kind):
    """The table of ranges is the same, byte for byte, for any number of shards in any order."""
    names = [cluster.collect(shard, shards) for shard in range(shards, 0, -1)]

    assert cluster.whole(kind) == cluster.merge(names, kind)


def test_a_shard_may_be_empty(cluster):
    """More shards than samples are no mistake."""
    names = [cluster.collect(shard, 14) for shard in range(1, 15)]

    assert cluster.whole("mse") == cluster.merge(names, "mse")


def test_a_missing_shard_is_an_error(cluster):
    """Two of three shards are no calibration."""
    names = [cluster.collect(1, 3), cluster.collect(3, 3)]

    with pytest.raises(StepInputError, match="not all shards of one calibration: 1/3, 3/3"):
        cluster.merge(names)


def test_a_shard_counts_once(cluster):
    """The same shard twice is an error, not twice the weight."""
    name = cluster.collect(1, 2)

    with pytest.raises(StepInputError, match="1/2, 1/2"):
        cluster.merge([name, name])


def test_there_is_no_third_of_two():
    """A shard beyond their number is refused when it is read."""
    text = STEP.replace('"calibrator": %s', '"shard": 3, "shards": 2')

    with pytest.raises(ValidationError, match="no shard 3 of 2"):
        CollectHistograms.model_validate_json(text)
