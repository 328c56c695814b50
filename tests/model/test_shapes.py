"""Shapes of a graph, inferred anew; which dimensions have a name, and which are not known."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.model.shapes import complete_outputs, forget_unknown, infer_shapes, is_named

TEXT = "m (float[N, 100] x) => (float[N, K] y) { h = MatMul(x, w)  y = Relu(h) }"
WEIGHT = np.arange(10_000, dtype=np.float32).reshape(100, 100)


def shape_of(value: onnx.ValueInfoProto):
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_large_weights_come_through():
    """Inference sees their dimensions alone; the model that it gives back has them whole."""
    whole = onnx.shape_inference.infer_shapes(model_of(TEXT, {"w": WEIGHT}), data_prop=True)
    found = infer_shapes(model_of(TEXT, {"w": WEIGHT}), strict=True)

    assert ["N", 100] == shape_of(found.graph.value_info[0])
    assert whole.SerializeToString(deterministic=True) == found.SerializeToString(
        deterministic=True
    )


def test_a_model_that_does_not_fit_together_keeps_its_weights():
    """What failed strictly can be tried again."""
    model = model_of(TEXT.replace("100]", "99]"), {"w": WEIGHT})
    with pytest.raises(StepInputError, match="shapes do not fit together"):
        infer_shapes(model, strict=True)

    assert WEIGHT.tobytes() == model.graph.initializer[0].raw_data


def test_large_integers_are_read_for_shapes():
    """Sizes that are picked from a long table are known."""
    text = """m (float[6] x) => (float[A, B] y) <int64[2] i = {2, 3}> {
        s = Gather(sizes, i)  h = Reshape(x, s)  y = Relu(h)
    }"""
    model = model_of(text, {"sizes": np.arange(5000, dtype=np.int64)})
    found = {
        value.name: shape_of(value) for value in infer_shapes(model, strict=True).graph.value_info
    }

    assert [2, 3] == found["h"]


@pytest.mark.parametrize(
    "text", ["?", "", " ", "-1", "*", "None", "none", "unknown", "unk", "unk__12", "Unknown", "0"]
)
def test_words_for_what_is_not_known_are_no_names(text):
    """As Paddle, TensorFlow, MXNet and others write them."""
    assert not is_named(text)


@pytest.mark.parametrize(
    "text", ["N", "batch", "_d0", "2*h", "DynamicDimension.0", "unknown_batch", "批", "none_of_it"]
)
def test_other_words_are_names(text):
    """Equal names are equal sizes."""
    assert is_named(text)


def test_each_unknown_dimension_is_open_for_itself():
    """Of inputs, outputs and what lies between, in branches too; names and sizes stay."""
    model = model_of("""g (float[N, 3, H, W] x, bool c) => (float[N, 3, H, W] y) {
        y = If (c) <then_branch = t () => (float[N, 3, H, W] p) { p = Neg(x) },
                    else_branch = e () => (float[N, 3, H, W] q) { q = Abs(x) }> }""")
    branch = model.graph.node[0].attribute[0].g
    values = (*model.graph.input[:1], *model.graph.output, *branch.output)
    for value in values:
        value.type.tensor_type.shape.dim[2].dim_param = "?"
        value.type.tensor_type.shape.dim[3].dim_value = -1
    forget_unknown(model)

    assert [[("dim_param", "N"), ("dim_value", 3), None, None]] * 3 == [
        [said(dim) for dim in value.type.tensor_type.shape.dim] for value in values
    ]


@pytest.mark.parametrize(
    ("size", "expected"), [(0, [None, ("dim_value", 3)]), (2, [("dim_value", 2), ("dim_value", 3)])]
)
def test_an_input_of_nothing_is_of_unknown_size(size, expected):
    """Some write 0 for "not known"; where every input has a size, 0 is one, too."""
    model = model_of(f"""g (float[{size}, 3] x, float[0] none) => (float[{size}, 3] y)
        <float[0] none = {{}}> {{ y = Relu(x) }}""")
    forget_unknown(model)

    assert [expected] * 2 == [
        [said(dim) for dim in value.type.tensor_type.shape.dim]
        for value in (model.graph.input[0], model.graph.output[0])
    ]
    assert ("dim_value", 0) == said(model.graph.input[1].type.tensor_type.shape.dim[0])


def test_outputs_without_a_shape_get_what_inference_finds():
    """Its rank too where a Reshape's shape is computed; weights stay where they were."""
    model = model_of("""g (float[N, 3, 8] x) => (float[N, 24] y, float[N, 3, 8] z)
        <int64[1] i0 = {0}, int64[1] i1 = {1}, int64[1] rest = {-1}> {
        s = Shape(x)  n = Slice(s, i0, i1)  to = Concat<axis=0>(n, rest)
        y = Reshape(x, to)  z = Relu(x) }""")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    model.graph.output[1].ClearField("type")
    kept = [tensor.SerializeToString() for tensor in model.graph.initializer]

    assert ["y", "z"] == complete_outputs(model)
    assert [] == complete_outputs(model)
    assert [2, 3] == [len(value.type.tensor_type.shape.dim) for value in model.graph.output]
    assert 1 == model.graph.output[1].type.tensor_type.elem_type
    assert kept == [tensor.SerializeToString() for tensor in model.graph.initializer]


def said(dim: onnx.TensorShapeProto.Dimension) -> tuple[str, int | str] | None:
    field = dim.WhichOneof("value")
    return None if field is None else (field, getattr(dim, field))
