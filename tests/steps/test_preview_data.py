"""Samples described as a model is fed them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.preview import DataPreview
from trtbuild.core.sensitivity import PickedSamples
from trtbuild.data.archive import write_samples
from trtbuild.data.arrays import Arrays
from trtbuild.data.base import Sample
from trtbuild.data.images import Images
from trtbuild.data.preprocess import Preprocess
from trtbuild.steps.base import Context, Ref
from trtbuild.steps.preview_data import PreviewData

NET = """
g (float[N,3,8,8] x) => (float[N,2,8,8] n)
<float[2,3,1,1] w = {1, 0, 0, 0, 0, 1}, float[2] s = {1, 1}, float[2] b = {0, 0},
 float[2] m = {MEAN}, float[2] v = {0.01, 0.01}>
{ c = Conv(x, w)
  n = BatchNormalization(c, s, b, m, v) }
"""
RED = np.stack([np.full((8, 8), value, np.float32) for value in (0.9, 0.5, 0.1)])
RAMP = np.linspace(-0.1, 0.1, 64, dtype=np.float32).reshape(8, 8)
RED = RED + np.stack([RAMP, RAMP.T, RAMP])
"""More red than blue; around its mean each channel rises by 0.2."""


@pytest.fixture
def preview(tmp_path):
    """Show samples; returns what is said of them."""

    def run(*samples, source=None, model=None):
        with write_samples(tmp_path / "samples.npz") as store:
            for index, arrays in enumerate(samples):
                store(Sample(f"s{index}", arrays))
        names = tuple(f"s{index}" for index in range(len(samples)))
        picked = PickedSamples(of=9, names=names, places=(), digests=())
        (tmp_path / "picked.json").write_text(picked.model_dump_json())
        inputs = {"p/picked": tmp_path / "picked.json", "p/samples": tmp_path / "samples.npz"}
        if model is not None:
            onnx.save(model_of(model), tmp_path / "model.onnx")
            inputs["m/model"] = tmp_path / "model.onnx"
        step = PreviewData(
            data="calib",
            source=source or Arrays(kind="arrays", path="x.npz"),
            picked=Ref(step="p", output="picked"),
            samples=Ref(step="p", output="samples"),
            model=None if model is None else Ref(step="m", output="model"),
        )
        (tmp_path / "out").mkdir()
        step.run(Context(inputs=inputs, out=tmp_path / "out"))
        assert (tmp_path / "out/sheet.png").read_bytes().startswith(b"\x89PNG")
        return DataPreview.model_validate_json((tmp_path / "out/preview.json").read_text())

    return run


@pytest.mark.parametrize(
    ("means", "told"),
    [("0.9, 0.1", None), ("0.1, 0.9", "channels reversed"), ("230, 25", "times 255")],
)
def test_the_first_layer_tells_what_it_was_trained_on(means, told, preview):
    """It passes red on, and blue: where it saw them the other way round, or in 0..255, it says."""
    found = preview({"x": RED}, model=NET.replace("MEAN", means))

    assert (found.first_layer is not None, told is not None) == (True, bool(found.doubts))
    assert told is None or f"with the samples {told}" in found.doubts[0]


def test_channels_are_counted_by_name(preview):
    """Of pictures whose making is known; a constant one lies in one bin."""
    how = Preprocess(color="bgr", scale=1)
    source = Images(kind="images", path="photos", input="x", preprocess=how)
    array = np.zeros((3, 8, 8), np.float32)
    array[0], array[2, 0] = 10, np.arange(8)
    (shown,) = preview({"x": array}, source=source).inputs

    assert ("picture", (0.0, 10.0), ((3, 8, 8),)) == (shown.look, shown.ends, shown.shapes)
    assert [("B", 10.0, 0.0), ("G", 0.0, 0.0), ("R", 0.4375, 64.0)] == [
        (each.name, each.mean, each.deviation and float(sum(each.counts)))
        for each in shown.channels
    ]


def test_what_is_no_picture_is_written_out(preview):
    """The beginning of each sample, whose shapes may differ; the rest is counted."""
    found = preview({"ids": np.arange(14)}, {"ids": np.array([7, 8])})
    (shown,) = found.inputs

    assert "numbers" == shown.look
    assert ("0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...", "7, 8") == shown.first
    assert ((14,), (2,)) == shown.shapes
    assert ("", 0.0, 13.0) == (
        shown.channels[0].name,
        shown.channels[0].low,
        shown.channels[0].high,
    )


def test_a_model_that_says_nothing_is_no_judge(preview):
    """A normalization that is folded away leaves the question open, and says so."""
    found = preview({"x": RED}, model="g (float[N,3,8,8] x) => (float[N,3,8,8] y) { y = Relu(x) }")

    assert (None, ()) == (found.first_layer, found.doubts)
    assert "no batch normalization is left behind it" in found.unknown
