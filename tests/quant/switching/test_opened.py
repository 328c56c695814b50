"""A model that came quantized, its activations in float again."""

from __future__ import annotations

import numpy as np
import onnx

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal
from trtbuild.quant.switching.opened import open_pairs

QUANTIZED = """
g (float[N, 1, 4, 4] x) => (float[N, 2] y)
<float s = {0.5}, int8 z = {0}, int8[4, 2] w = {1, 2, 3, 4, 5, 6, 7, 8}, float ws = {0.1}> {
  q = QuantizeLinear(x, s, z)
  p = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (q)
  d = DequantizeLinear(p, s, z)
  f = Flatten(d)
  v = DequantizeLinear(w, ws, z)
  y = MatMul(f, v)
}
"""


def test_activations_pass_and_weights_stay():
    """Where integers would be pooled, floats are."""
    x = normal(3, 1, 4, 4)
    opened = open_pairs(model_of(QUANTIZED))
    pooled = x.reshape(3, 2, 2, 2, 2).max((2, 4)).reshape(3, 4)
    weight = np.arange(1, 9, dtype=np.float32).reshape(4, 2) * np.float32(0.1)
    onnx.checker.check_model(opened, full_check=True)

    np.testing.assert_allclose(outputs_of(opened, {"x": x})["y"], pooled @ weight, rtol=1e-6)
