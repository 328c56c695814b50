"""What ONNX Runtime's profiler tells."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.timing.base import Setting, TimedModel
from trtbuild.timing.layers.onnx_runtime import WARM, profile_session, read_profile
from trtbuild.timing.onnx_runtime import OnnxRuntime


def event(name, us, op, *types, cat="Node"):
    shapes = [{each: [1]} for each in types]
    return {
        "cat": cat,
        "name": name,
        "dur": us,
        "args": {"op_name": op, "input_type_shape": shapes},
    }


def test_a_nodes_times_are_those_of_its_kernel():
    """Those of the first calls left out; types say what it computes in."""
    calls = [
        [event("c_token_1_kernel_time", us, "QLinearConv", "uint8", "float"),
         event("fused f_kernel_time", 10, "FusedGemm", "float", "float"),
         event("q_kernel_time", 1, "QuantizeLinear", "float"),
         event("p_kernel_time", 1, "MaxPool", "int8"), event("i_kernel_time", 1, "Shape", "int64"),
         event("c_fence_before", 9, "QLinearConv"), event("run", 99, "", cat="Session")]
        for us in (900, 800, 700, 20, 30)
    ]  # fmt: skip
    found = {
        each.name: each
        for each in read_profile(json.dumps([each for call in calls for each in call]))
    }

    assert ["c_token_1", "fused f", "q", "p", "i"] == list(found)
    assert ((0.02, 0.03), ("c",), "int8") == (
        found["c_token_1"].times_ms, found["c_token_1"].nodes, found["c_token_1"].delivered,
    )  # fmt: skip
    assert (("f",), "fp32") == (found["fused f"].nodes, found["fused f"].delivered)
    assert ["conversion", "int8", ""] == [found[each].delivered for each in "qpi"]


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '[{"name": "x"}]', '[{"name": 1, "cat": "Node"}]']
)
def test_what_is_no_profile_is_refused(text):
    """Or has nothing in it."""
    if text == "{}":
        assert () == read_profile(text)
        return
    with pytest.raises(StepInputError, match="profile cannot be read"):
        read_profile(text)


def test_the_real_profiler_names_the_models_nodes(tmp_path):
    """One time a call of each, the first few left out."""
    model = model_of(
        "g (float[n,4] x) => (float[n,4] y) { a = MatMul(x, w)  y = Sin(a) }",
        {"w": np.eye(4, dtype=np.float32)},
    )
    for node in model.graph.node:
        node.name = f"node {node.op_type}"
    onnx.save(model, tmp_path / "m.onnx")
    arrays = {"x": np.ones((2, 4), np.float32)}
    layers = profile_session(tmp_path / "m.onnx", arrays, threads=1, calls=4)

    assert {("node MatMul", "MatMul", "fp32"), ("node Sin", "Sin", "fp32")} == {
        (each.name, each.op, each.delivered) for each in layers
    }
    assert all(4 == len(each.times_ms) for each in layers)
    assert WARM > 0


def test_on_a_gpu_it_says_why_not():
    """Its times are not those of kernels."""
    kind = OnnxRuntime(kind="onnx_runtime", provider="cuda")
    with pytest.raises(StepInputError, match="when kernels are launched"):
        kind.profile(TimedModel("m", "onnx", None), Setting(threads=1), None, {}, 5)
