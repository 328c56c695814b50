from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal
from trtbuild.quant.reader_trial import ReaderTrial
from trtbuild.quant.trial import QuantizedTrial

TEXT = """<ir_version: 8, opset_import: ["": 17]>
    g (float[4, 8] x) => (float[4, 8] y) { r = MatMul (x, w) s = Relu (r) y = MatMul (s, v) }"""
WEIGHTS = {"w": normal(8, 8), "v": np.eye(8, dtype=np.float32)}
X = {"x": normal(4, 8, seed=1)}


def read(text, weights, limits, feed):
    """Return what each reader of a tensor makes: (tensor, error, signal)."""
    trial = QuantizedTrial(model_of(text, weights), model_of(text, weights), limits)
    made = ReaderTrial(model_of(text, weights), trial.model, trial.tensors)
    outputs = outputs_of(made.model, {**feed, **trial.scales(limits)})
    return [
        (one.tensor, float(outputs[one.error]), float(outputs[one.signal])) for one in made.readings
    ]


def test_tells_what_each_layer_errs_by():
    """With weights that lose nothing it is the error of the tensor; what it reads is exact."""
    limits = {"x": 3.0, "s": 2.0}
    found = {tensor: (error, signal) for tensor, error, signal in read(TEXT, WEIGHTS, limits, X)}
    values = np.maximum(X["x"] @ WEIGHTS["w"], 0)
    step = 2.0 / 127
    rounded = step * np.clip(np.round(values / step), -128, 127)

    assert {"x", "s"} == set(found)
    assert found["s"] == pytest.approx((np.square(rounded - values).sum(), np.square(values).sum()))


def test_of_two_operands_each_is_quantized_alone():
    """A product of activations has a reading for each of them."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[4, 4] x) => (float[4, 4] y) { r = Relu (x) n = Neg (x) y = MatMul (r, n) }"""
    values = {"x": np.eye(4, dtype=np.float32) * 127 / 2}
    found = read(text, {}, {"r": 127.0, "n": 1e-3}, values)

    assert ["r", "n"] == [tensor for tensor, *_ in found]
    assert found[0][1] < found[0][2] / 1e4
    assert found[1][1] > found[1][2] / 2


def test_leaves_the_values_of_the_model_as_they_are():
    """No layer reads what another one's trial makes."""
    narrow, wide = (read(TEXT, WEIGHTS, {"x": one, "s": 2.0}, X) for one in (0.1, 3.0))

    assert narrow[0][1] > wide[0][1]
    assert narrow[1] == wide[1]
