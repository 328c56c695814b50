"""Which layers come to the same sums of integers."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.backends.model import OnnxModel
from trtbuild.backends.tensorrt.twins import are_twins

TEXT = """g (float[1, 2, 4, 4] x) => (float[1, 2, HEIGHT, WIDTH] y, float[1, 2, 4, 4] z)
<float s = {0.1}, int8 n = {0}, float[2] s0 = {1, 2}, float[2] s1 = {3, 4}, int8[2] n2 = {0, 0}> {
    q = QuantizeLinear(x, s, n)  d = DequantizeLinear(q, s, n)
    v = DequantizeLinear<axis = 0>(w0, s0, n2)  [one] y = Conv<pads = [PADS]>(d, v)
    r = QuantizeLinear(SOURCE, s, n)  e = DequantizeLinear(r, s, n)
    u = DequantizeLinear<axis = 0>(w1, s1, n2)  [other] z = Conv<pads = [1, 1, 1, 1]>(e, u)
}"""
WEIGHT = np.arange(-18, 18, dtype=np.int8).reshape(2, 2, 3, 3)


def twins(folder, *, source="x", pads=1, weight=WEIGHT, other=WEIGHT, text=TEXT):
    """Tell it of two convolutions of one input by weights of the same integers, or not quite."""
    size = str(2 + 2 * pads)
    for word, meant in {
        "SOURCE": source,
        "PADS": ", ".join([str(pads)] * 4),
        "HEIGHT": size,
        "WIDTH": size,
    }.items():
        text = text.replace(word, meant)
    onnx.save(model_of(text, {"w0": weight, "w1": other}), folder / "model.onnx")
    return are_twins(OnnxModel.read(folder / "model.onnx"), "one", "other")


def test_layers_of_equal_integers_are_twins(tmp_path):
    """Whatever their scales are; and each has its own pair behind the one input."""
    assert twins(tmp_path)


@pytest.mark.parametrize(
    "unlike", [{"pads": 0}, {"other": WEIGHT + np.int8(1)}, {"source": "a"}], ids=str
)
def test_layers_that_differ_in_anything_are_not(unlike, tmp_path):
    """In an attribute, in a weight, in what they read."""
    text = TEXT.replace("q = Quant", "a = Neg(x)  q = Quant")

    assert not twins(tmp_path, text=text, **unlike)


def test_inputs_that_are_made_alike_are_one(tmp_path):
    """Two branches of one text: the compiler finds both, from the input on."""
    text = TEXT.replace("q = Quant", "a = Neg(x)  b = Neg(x)  q = Quant")
    text = text.replace("Linear(x", "Linear(b")

    assert twins(tmp_path, text=text, source="a")


def test_floats_behind_a_quantizer_count_as_their_integers(tmp_path):
    """As NVIDIA's tools write weights: 1 and 3 by a scale of 1 and 3 are the same."""
    text = (
        TEXT.replace("v = De", "f = QuantizeLinear<axis = 0>(w0, s0, n2)  v = De")
        .replace("u = De", "h = QuantizeLinear<axis = 0>(w1, s1, n2)  u = De")
        .replace("Linear<axis = 0>(w0, s0, n2)  [", "Linear<axis = 0>(f, s0, n2)  [")
        .replace("Linear<axis = 0>(w1, s1, n2)  [", "Linear<axis = 0>(h, s1, n2)  [")
    )
    scales = np.array([[1, 2], [3, 4]], np.float32)[:, :, None, None, None]
    first, second = WEIGHT * scales

    assert twins(tmp_path, weight=first, other=second, text=text)


def test_no_layer_is_its_own_twin(tmp_path):
    """Nor is one that there is not."""
    twins(tmp_path)
    model = OnnxModel.read(tmp_path / "model.onnx")

    assert not are_twins(model, "one", "one")
    assert not are_twins(model, "one", "nowhere")
