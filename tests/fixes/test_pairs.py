"""Q/DQ nodes as they stand in a graph."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import graph_of, model_of, outputs_of
from trtbuild.fixes.pairs import find_linears

FORMS = {
    "one scale": ("<float s = {0.5}, int8 z = {3}>", "", (2, 4)),
    "by channel": ("<float[4] s = {1, 2, 3, 4}, int8[4] z = {0, 1, 2, 3}>", "<axis = 1>", (2, 4)),
    "in blocks": (
        "<float[2, 2] s = {1, 2, 3, 4}, int8[2, 2] z = {0, 1, 2, 3}>",
        "<axis = 1, block_size = 2>",
        (2, 4),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_constants_are_dequantized_as_onnx_runtime_does(form):
    """Whatever the scale is for."""
    constants, attributes, shape = FORMS[form]
    text = f"""<ir_version: 10, opset_import: ["" : 21]>
        g (float[N, 4] x) => (float[2, 4] y, float[N, 4] u) {constants}
        {{ y = DequantizeLinear{attributes}(i, s, z)  u = Relu(x) }}"""
    values = {"i": np.arange(8, dtype=np.int8).reshape(shape)}
    (linear,) = find_linears(graph_of(text, values), "DequantizeLinear")
    wanted = outputs_of(model_of(text, values), {"x": np.ones((1, 4), np.float32)})["y"]

    np.testing.assert_array_equal(wanted, linear.dequantize())
