"""The reference runner."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from trtbuild.core.errors import StepInputError
from trtbuild.model.runner import open_runner


@pytest.fixture
def run(tmp_path):
    def run_once(model, feed_dict, *, threads=1):
        onnx.save(model, tmp_path / "m.onnx")
        with open_runner(tmp_path / "m.onnx", threads=threads) as infer:
            return infer(feed_dict)

    return run_once


def test_a_pair_rounds_half_to_even_and_clips(run):
    """q = clip(round(x / 0.5), -128, 127) and back: 0.75 is 1.5 steps, so 2; 99 is clipped."""
    text = """m (float[4] x) => (float[4] y) <float s = {0.5}, int8 z = {0}> {
        q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z)
    }"""
    x = np.array([0.75, 1.25, -99, 99], np.float32)

    assert [1.0, 1.0, -64.0, 63.5] == run(model_of(text), {"x": x})["y"].tolist()


def test_quantized_layers_are_emulated_in_float(run):
    """The bias of a Conv between pairs stays what it is: 0 * w + 0.25, in steps of 0.25.

    ONNX Runtime's own integer Conv would first round the bias to steps of 1, the product of the
    input's scale and the weight's, and answer 0.
    """
    text = """m (float[1, 4, 1, 1] x) => (float[1, 1, 1, 1] y)
        <float s = {1}, float t = {0.25}, int8 z = {0}, float[1] b = {0.25}> {
        xq = QuantizeLinear(x, s, z)  xd = DequantizeLinear(xq, s, z)
        wq = QuantizeLinear(w, s, z)  wd = DequantizeLinear(wq, s, z)
        c = Conv(xd, wd, b)
        yq = QuantizeLinear(c, t, z)  y = DequantizeLinear(yq, t, z)
    }"""
    weights = {"w": np.ones((1, 4, 1, 1), np.float32)}

    assert 0.25 == run(model_of(text, weights), {"x": np.zeros((1, 4, 1, 1), np.float32)})["y"]


def test_threads_change_no_bit(run):
    """One thread or several: the same numbers."""
    x = {"x": np.random.default_rng(1).normal(size=(1, 8, 8, 8)).astype(np.float32)}

    one, two = (run(layer(), x, threads=threads)["y"] for threads in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_a_model_it_cannot_load_is_told(run):
    """An operator that ONNX Runtime lacks is quoted."""
    text = """<ir_version: 8, opset_import: ["" : 17, "my.ops" : 1]>
        m (float[1] x) => (float[1] y) { y = my.ops.Fancy(x) }"""

    with pytest.raises(StepInputError, match=r"cannot load the model: .*Fancy"):
        run(onnx.parser.parse_model(text), {})


def test_a_run_that_fails_is_told(run):
    """A failure inside the model is quoted, not a traceback."""
    text = "m (float[n] x) => (float[k] y) <int64[1] s = {3}> { y = Reshape(x, s) }"

    with pytest.raises(StepInputError, match="cannot run the model"):
        run(model_of(text), {"x": np.zeros(4, np.float32)})
