"""A recipe's preprocessing on a GPU: which one it is. What it computes, tests/gpu looks at."""

from __future__ import annotations

import pytest

from trtbuild import api
from trtbuild.core.errors import UsageError
from trtbuild.data.on_gpu import preprocess as module

RECIPE = """
version: 1
name: r
model: {kind: onnx, path: m.onnx}
data:
  calib: {kind: images, path: "c/*.png", preprocess: {resize: [8, 8]}}
  eval: {kind: images, path: "e/*.png", preprocess: {resize: [9, 9]}}
  noise: {kind: arrays, path: n.npz}
compare: {data: eval, metrics: [cosine]}
targets:
  rtx: {kind: tensorrt_rtx}
"""


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Open the preprocessing of a recipe; return how and where it would be done."""
    made = []
    monkeypatch.setattr(module, "GpuPreprocess", lambda how, **given: made.append((how, given)))
    (tmp_path / "r.yaml").write_text(RECIPE)

    def open_(*given, **more):
        api.open_gpu_preprocess(tmp_path / "r.yaml", *given, **more)
        return made.pop()

    return open_


def test_the_preprocessing_is_that_of_a_data_set(opened):
    """Of the one that is named, or that outputs are compared on."""
    assert (8, 8) == opened("calib")[0].resize
    how, given = opened(stream=7, index=1, frames="bgr")

    assert (9, 9) == how.resize
    assert {"stream": 7, "index": 1, "frames": "bgr"} == given


@pytest.mark.parametrize(("data", "told"), [("noise", "no data of pictures"), ("x", "no data `x`")])
def test_other_data_has_none(opened, data, told):
    """Its names are said."""
    with pytest.raises(UsageError, match=told) as caught:
        opened(data)

    assert "calib, eval, noise" in caught.value.hint
