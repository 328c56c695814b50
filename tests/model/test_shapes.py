"""Shapes of a graph, inferred anew."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.model.shapes import infer_shapes

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
