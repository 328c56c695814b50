"""A model's nodes, inputs and outputs, without its weights."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.model.outline import ModelOutline


def test_the_signature_names_open_dimensions():
    """Inputs and outputs with NumPy's dtype words; initializers are no inputs."""
    model = ModelOutline(
        model_of("m (float[batch, 3] x, int64[2] i) => (float16[batch, 3] y) "
                 "<float[3] w = {1, 2, 3}> { a = Add(x, w)  y = Cast<to = 10>(a) }")
    )  # fmt: skip

    expected = [("x", "float32", ("batch", 3)), ("i", "int64", (2,))]
    assert expected == [(spec.name, spec.dtype, spec.shape) for spec in model.inputs]
    assert (TensorSpec(name="y", dtype="float16", shape=("batch", 3)),) == model.outputs


def test_a_dimension_without_a_name_is_a_question_mark():
    """An engine's description says no more than the model."""
    model = model_of("m (float[?, 3] x) => (float[?, 3] y) { y = Relu(x) }")

    assert ("?", 3) == ModelOutline(model).inputs[0].shape


def test_what_is_stored_has_dimensions_and_a_type():
    """Of initializers and Constant nodes; what is computed is a constant, and not stored."""
    text = """m (float[1, 2] x) => (float[1, 2] y) <float16[2] w = {1, 2}> {
        c = Constant<value = int64[3] {1, 2, 3}>()  f = Constant<value_float = 0.5>()
        k = Cast<to = 1>(w)  a = Add(x, k)  y = Mul(a, f)
    }"""
    model = ModelOutline(model_of(text))

    half, int64 = onnx.TensorProto.FLOAT16, onnx.TensorProto.INT64
    assert [(2,), (3,), (), None] == [model.dims(name) for name in "wcfk"]
    assert [half, int64, 0, None] == [model.stored_type(name) for name in "wcfk"]
    assert [True, True, False] == [model.is_constant(name) for name in "wka"]


def test_weights_beside_the_file_are_not_read(tmp_path):
    """The dimensions are in the model; data in another file may be large."""
    model = layer()
    onnx.save(
        model, tmp_path / "m.onnx", save_as_external_data=True, location="w", size_threshold=0
    )
    (tmp_path / "w").unlink()

    assert (8, 8, 3, 3) == ModelOutline.read(tmp_path / "m.onnx").dims("w")


@pytest.mark.parametrize(("data", "message"), [(b"", "no outputs"), (b"\xff" * 20, "not an ONNX")])
def test_what_is_no_model_is_said_to_be_none(tmp_path, data, message):
    """An empty file parses as a model without anything in it; that is told as well."""
    (tmp_path / "m.onnx").write_bytes(data)

    with pytest.raises(StepInputError, match=message):
        ModelOutline.read(tmp_path / "m.onnx")
