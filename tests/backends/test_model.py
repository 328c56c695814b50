"""What a backend reads of an ONNX model."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from trtbuild.backends.base import LayerRequest
from trtbuild.backends.model import OnnxModel
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec


def test_the_signature_names_open_dimensions():
    """Inputs and outputs with NumPy's dtype words; initializers are no inputs."""
    model = OnnxModel(
        model_of("m (float[batch, 3] x, int64[2] i) => (float16[batch, 3] y) "
                 "<float[3] w = {1, 2, 3}> { a = Add(x, w)  y = Cast<to = 10>(a) }")
    )  # fmt: skip

    expected = [("x", "float32", ("batch", 3)), ("i", "int64", (2,))]
    assert expected == [(spec.name, spec.dtype, spec.shape) for spec in model.inputs]
    assert (TensorSpec(name="y", dtype="float16", shape=("batch", 3)),) == model.outputs


@pytest.mark.parametrize(
    ("options", "precision"),
    [({}, "int8"), ({"pairs": "x"}, "fp32"), ({"pairs": "w"}, "fp32"), ({"pairs": ""}, "fp32")],
)
def test_a_layer_is_int8_where_both_operands_are(options, precision):
    """One quantized operand alone is arithmetic in float."""
    assert (LayerRequest("layer", "Conv", precision),) == OnnxModel(
        layer(**options)
    ).list_requests()


def test_a_layer_with_half_weights_asks_for_half():
    """What is not quantized is asked for as it is."""
    text = """m (float16[1, 4] x) => (float16[1, 2] y)
        <float16[4, 2] w = {1, 2, 3, 4, 5, 6, 7, 8}> { [a] y = MatMul(x, w) }"""

    assert (LayerRequest("a", "MatMul", "fp16"),) == OnnxModel(model_of(text)).list_requests()


def test_layers_in_bodies_are_found():
    """A Conv within an If is a weighted layer too; a nameless node goes by its output's name."""
    text = """m (float[1, 2] x, bool c) => (float[1, 2] y) <float[2, 2] w = {1, 2, 3, 4}> {
        y = If(c) <
            then_branch = t () => (float[1, 2] a) { a = MatMul(x, w) },
            else_branch = e () => (float[1, 2] b) { [named] b = MatMul(x, w) }
        >
    }"""

    assert ["a", "named"] == [each.name for each in OnnxModel(model_of(text)).list_requests()]


def test_constants_are_followed_through_operators():
    """A scale that is reshaped from a Constant is a constant; one made from an input is not."""
    text = """m (float[1, 4] x, float s) => (float[1, 4] y, float[1, 4] n)
        <int8 z = {0}, int64[1] one = {1}> {
        c = Constant<value_float = 0.1>()
        k = Cast<to = 1>(c)
        [good] q = QuantizeLinear(x, k, z)
        y = DequantizeLinear(q, k, z)
        h = Identity(s)
        [bad] p = QuantizeLinear(x, h, z)
        n = DequantizeLinear(p, k, z)
    }"""

    assert ["bad"] == [node.name for node in OnnxModel(model_of(text)).computed_scales()]


def test_weights_beside_the_file_are_not_read(tmp_path):
    """The dimensions are in the model; data in another file may be large."""
    model = layer()
    onnx.save(
        model, tmp_path / "m.onnx", save_as_external_data=True, location="w", size_threshold=0
    )
    (tmp_path / "w").unlink()

    assert (8, 8, 3, 3) == OnnxModel.read(tmp_path / "m.onnx").dims("w")


@pytest.mark.parametrize(("data", "message"), [(b"", "no outputs"), (b"\xff" * 20, "not ONNX")])
def test_what_is_no_model_is_said_to_be_none(tmp_path, data, message):
    """An empty file parses as a model without anything in it; that is told as well."""
    (tmp_path / "m.onnx").write_bytes(data)

    with pytest.raises(StepInputError, match=message):
        OnnxModel.read(tmp_path / "m.onnx")
