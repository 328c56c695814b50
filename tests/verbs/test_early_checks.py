"""Operators that a target lacks are told before anything is calibrated."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepFailed
from trtbuild.run.executor import QuietListener

MODEL = """m (float[n, 4] x) => (float[n, 2] y, float[n, 2] z) {
    a = MatMul(x, w)  y = Relu(a)  [odd] z = ?
}"""
RECIPE = """version: 1
name: odd
model: {kind: onnx, path: m.onnx}
data: {calib: {kind: arrays, path: x.npy, input: x}}
quantization: {mode: explicit, data: calib, calibrator: {kind: minmax}}
profiles: [{x: {min: [1, 4], opt: [1, 4], max: [2, 4]}}]
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9]}
  old: {kind: tensorrt10}
"""


@pytest.fixture
def odd(tmp_path):
    """A recipe of a model that ends in some node."""

    def made(node):
        weights = {"w": np.eye(4, 2, dtype=np.float32)}
        onnx.save(model_of(MODEL.replace("?", node), weights), tmp_path / "m.onnx")
        np.save(tmp_path / "x.npy", np.ones((3, 4), np.float32))
        (tmp_path / "odd.yaml").write_text(RECIPE)
        return tmp_path / "odd.yaml"

    return made


class Told(QuietListener):
    """Remembers the steps that were started."""

    def __init__(self):
        self.steps = []

    def started(self, step):
        """Remember it."""
        self.steps.append(step)


def test_nothing_is_calibrated_for_a_target_that_lacks_an_operator(odd, apply):
    """It names the target that lacks it, and says nothing of the other."""
    told = Told()
    with pytest.raises(StepFailed) as raised:
        apply(odd("EfficientNMS_TRT(y)"), listener=told)

    assert raised.value.message.startswith("TB118 `odd`: EfficientNMS_TRT is no operator of ONNX")
    assert "check_model(rtx)" == raised.value.step
    assert "\n" not in raised.value.message
    assert {"import_model", "capture_data(calib)", "fix_graph"} == set(told.steps)


def test_each_target_is_named_with_what_it_lacks(odd, apply):
    """All at once."""
    with pytest.raises(StepFailed) as raised:
        apply(odd("Bernoulli(y)"))

    assert raised.value.message.startswith("TB114 `odd`: TensorRT-RTX has no Bernoulli")
    assert ["old: TB114 `odd`: TensorRT 10 has no Bernoulli"] == [
        line.split(" (")[0] for line in raised.value.message.splitlines()[1:]
    ]
