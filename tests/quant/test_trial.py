from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of, outputs_of
from trtbuild.quant.trial import QuantizedTrial

TEXT = """<ir_version: 8, opset_import: ["": 17]>
    g (float[1, 2] x) => (float[1, 2] y) { r = Relu (x) y = MatMul (r, w) }"""
WEIGHT = {"w": np.eye(2, dtype=np.float32)}


def test_scales_are_inputs():
    """1 is a step of 1 with a limit of 127, and nothing with a limit of 2540."""
    trial = QuantizedTrial(model_of(TEXT, WEIGHT), model_of(TEXT, WEIGHT), {"r": 10.0})
    values = {"x": np.array([[1.0, 3.0]], np.float32)}
    found = [
        outputs_of(trial.model, {**values, **trial.scales({"r": limit})})["y"].tolist()
        for limit in (127.0, 2540.0)
    ]

    assert ("r",) == trial.tensors
    assert [[1.0, 3.0]] == [pytest.approx(row, rel=1e-5) for row in found[0]]
    assert [[0.0, 0.0]] == found[1]


def test_tensors_that_flow_into_each_other_share_the_larger_scale():
    """Values pass a Reshape unchanged, so both sides have one scale."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[1, 2] x) => (float[1, 2] y, float[1, 2] z)
        <int64[2] s = {1, 2}> { y = MatMul (x, w) f = Reshape (x, s) z = MatMul (f, v) }"""
    weights = {**WEIGHT, "v": np.eye(2, dtype=np.float32)}
    limits = {"x": 127.0, "f": 200.0}
    trial = QuantizedTrial(model_of(text, weights), model_of(text, weights), limits)

    assert [pytest.approx(200 / 127)] * 2 == [float(each) for each in trial.scales(limits).values()]
