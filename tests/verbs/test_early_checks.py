"""Operators that a target lacks are told before anything is calibrated."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepFailed
from trtbuild.run.executor import QuietListener
from trtbuild.verbs.early_checks import refuse_outdated_operators

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


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("TB106 `odd`", "d, e, f = DynamicQuantizeLinear(y) z = DequantizeLinear(d, e, f)"),
        ("TB121", "z = Neg(y)"),
    ],
)
def test_nothing_is_calibrated_of_what_no_target_takes(odd, apply, code, text):
    """Of a model that is quantized otherwise, or gives back what it is fed."""
    recipe = odd("Identity(y)")
    outputs = "float[n, 4] x" if code == "TB121" else "float[n, 2] z"
    body = MODEL.replace("[odd] z = ?", f"[odd] {text}").replace("float[n, 2] z", outputs)
    weights = {"w": np.eye(4, 2, dtype=np.float32)}
    onnx.save(model_of(body, weights), recipe.with_name("m.onnx"))
    with pytest.raises(StepFailed) as raised:
        apply(recipe)

    assert code == raised.value.message.split(": ")[0].rstrip(":").partition(" the output")[0]
    # What can be imported nowhere is not helped by turning the rule off.
    assert ("TB106" not in code) == ("checks: {off" in raised.value.hint)


def test_what_is_too_old_for_onnx_runtime_is_not_given_to_it():
    """Where it would run the model; TensorRT takes it."""
    add = onnx.helper.make_node("Add", ["a", "b"], ["c"], broadcast=1)
    model = onnx.helper.make_model(
        onnx.helper.make_graph([add], "g", [], []),
        opset_imports=[onnx.helper.make_opsetid("", 6)],
    )
    refuse_outdated_operators(model, ["fix_graph", "calibrate_natively", "build_engine(a)"])
    with pytest.raises(StepFailed, match=r"of opset 6, .* has no Add as old as that"):
        refuse_outdated_operators(model, ["fix_graph", "infer(reference)"])


def test_each_target_is_named_with_what_it_lacks(odd, apply):
    """All at once."""
    with pytest.raises(StepFailed) as raised:
        apply(odd("Bernoulli(y)"))

    assert raised.value.message.startswith("TB114 `odd`: TensorRT-RTX has no Bernoulli")
    assert ["old: TB114 `odd`: TensorRT 10 has no Bernoulli"] == [
        line.split(" (")[0] for line in raised.value.message.splitlines()[1:]
    ]
