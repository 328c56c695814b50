"""ONNX Runtime as what is timed."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from trtbuild.core.errors import StepInputError
from trtbuild.timing.base import Setting, TimedModel
from trtbuild.timing.onnx_runtime import OnnxRuntime

CPU = OnnxRuntime(kind="onnx_runtime")
ONE = Setting(threads=1)
HALF = """
h (float[n,4] x) => (float[n,4] y) {
  a = Cast<to=10>(x)  w16 = Cast<to=10>(w)  b = MatMul(a, w16)  y = Cast<to=1>(b)
}
"""


@pytest.fixture
def subject(tmp_path):
    def made(model):
        onnx.save(model, tmp_path / "m.onnx")
        return TimedModel("m", "onnx", tmp_path / "m.onnx")

    return made


def test_models_of_int8_say_how_much_of_them_is(subject):
    """One layer, whose kernel is an integer one where this processor's ONNX Runtime has one."""
    told, notes = CPU.describe(subject(layer()), None)

    assert told in {"INT8 in 1 of 1 weighted operators", "INT8 in 0 of 1 weighted operators"}
    assert ("0 of 1" in told) == bool(notes)
    cuda = OnnxRuntime(kind="onnx_runtime", provider="cuda")
    assert "says nothing of TensorRT" in cuda.describe(subject(layer()), None)[1][0]


def test_16_bits_that_would_be_computed_in_fp32_are_not_timed(subject):
    """Nor a provider that is not here, nor a plugin; each with its reason."""
    half = model_of(HALF, {"w": np.eye(4, dtype=np.float32)})
    plugin = model_of("g (float[1] x) => (float[1] y) { y = EfficientNMS_TRT(x) }")
    cuda = OnnxRuntime(kind="onnx_runtime", provider="cuda")

    why = CPU.find_hindrance(subject(half), ONE)
    assert not why or "computes FP16 in FP32 on this processor" in why
    assert "has no CUDAExecutionProvider" in cuda.find_hindrance(subject(layer()), ONE)
    assert "EfficientNMS_TRT" in CPU.find_hindrance(subject(plugin), ONE)
    assert "" == CPU.find_hindrance(subject(layer()), ONE)


def test_what_does_not_fit_is_told_in_its_words(subject):
    """Before anything is timed."""
    opened = CPU.open(subject(layer()), ONE)

    with pytest.raises(StepInputError, match="ONNX Runtime cannot run the model"):
        opened.feed({"x": np.zeros((1, 2), np.float32)})
