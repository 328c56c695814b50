"""A model that is quantized already, to be spoiled and repaired."""

from __future__ import annotations

import copy

import numpy as np
import onnx

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal, ranges_of
from trtbuild.quant.apply import quantize_model

W = np.array([[127, -64, 1], [10, 20, 30]], np.int8)
"""Two outputs of three inputs, as Gemm with transB has them."""


def dense(x_scale="float xs = {0.5}", zero="int8 xz = {0}", weight="wq, ws, wz", **weights):
    """A Gemm whose operands are dequantized; the weight's parameters can be replaced."""
    values = {
        "wq": W,
        "ws": np.array([0.5, 0.25], np.float32),
        "wz": np.zeros(2, np.int8),
        "b": np.array([1, 2], np.float32),
        **weights,
    }
    return model_of(
        f"""g (float[N,3] x) => (float[N,2] y) <{x_scale}, {zero}> {{
            [xq] q = QuantizeLinear(x, xs, xz)  [xd] d = DequantizeLinear(q, xs, xz)
            [wd] w = DequantizeLinear<axis={weights.pop("axis", 0)}>({weight})
            [fc] y = Gemm<transB=1>(d, w, b)
        }}""",
        {name: value for name, value in values.items() if name != "axis"},
    )


def adopted(model, **options):
    found = quantize_model(copy.deepcopy(model), ranges=ranges_of(), **options)
    onnx.checker.check_model(found.model, full_check=True)
    return found


def repairs_of(found):
    return [remark.split(":")[0] for remark in found.account.remarks if "TensorRT" in remark]


def y_of(model, seed=0):
    return outputs_of(model, {"x": normal(16, 3, seed=seed) * 20})["y"]
