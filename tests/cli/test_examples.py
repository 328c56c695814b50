"""What the README shows of a wrong recipe and of a model that TensorRT would misread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from tests.helpers.examples import differences, example
from tests.helpers.models import model_of

FACE = """\
version: 1
name: face
model: {kind: onnx, path: face.onnx}
quantization:
  data: calib
  calibrator:
    kind: percentile
    percentil: 99.99
targets: {rtx: {kind: tensorrt_rtx}}
"""
ASYMMETRIC = """
g (float[n, 4] x) => (float[n, 3] y) {
  [x_q] q = QuantizeLinear(x, s, zero)
  [x_dq] d = DequantizeLinear(q, s, zero)
  [w_dq] v = DequantizeLinear<axis: int = 1>(w, t, z)
  [fc] y = MatMul(d, v)
}
"""


def test_a_wrong_recipe_is_told_at_its_line(trtbuild, tmp_path, monkeypatch):
    """All of it; the README's is one of several problems here, since files are missing."""
    monkeypatch.chdir(tmp_path)
    recipe = Path("recipes/face.yaml")
    recipe.parent.mkdir()
    recipe.write_text(FACE)
    answer = trtbuild("validate", recipe)

    assert 2 == answer.code
    assert [] == differences(example(f"trtbuild validate {recipe}"), answer.err)


def test_a_model_that_tensorrt_would_misread_is_told(trtbuild, tmp_path, monkeypatch):
    """Before anything is built from it."""
    monkeypatch.chdir(tmp_path)
    arrays = {
        "s": np.float32(0.1), "zero": np.uint8(0), "w": np.ones((4, 3), np.int8),
        "t": np.full(3, 0.1, np.float32), "z": np.zeros(3, np.int8),
    }  # fmt: skip
    onnx.save(model_of(ASYMMETRIC, arrays), "model.onnx")
    answer = trtbuild("check", "model.onnx")

    assert 1 == answer.code
    assert [] == differences(example("trtbuild check model.onnx"), answer.out)
