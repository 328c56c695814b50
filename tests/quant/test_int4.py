"""All of quantization, in INT4: blocks of weights, activations in float, what stays and why."""

from __future__ import annotations

import copy

import ml_dtypes
import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, ranges_of, seeded, sqnr_db
from trtbuild.backends.base import BuildOrder
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.quantized_types import INT4
from trtbuild.model.opset import read_opset
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import HalfSettings
from trtbuild.quant.writing.weights import WeightsMse

NET = """g (float[N,64] x) => (float[N,32] y) {
    [one] a = Gemm<transB=1>(x, w1, b1)  r = Relu(a)
    [two] b = Gemm(r, w2)  [three] y = MatMul(b, w3)
}"""
WEIGHTS = {"w1": (96, 64), "b1": (96,), "w2": (96, 64), "w3": (64, 32)}
NOTHING = ranges_of()


@pytest.fixture
def net():
    return seeded(NET, **WEIGHTS)


def quantized(model, block=32, **more):
    return quantize_model(model, ranges=NOTHING, into=INT4, block=block, **more)


def rounded(weight, axis, block):
    """What INT4 makes of a weight, block by block, written out."""
    rows = np.moveaxis(weight, axis, -1)
    made = rows.copy()
    for index in np.ndindex(*rows.shape[:-1]):
        for start in range(0, rows.shape[-1], block):
            own = rows[index][start : start + block]
            scale = np.abs(own).max() / np.float32(7)
            made[index][start : start + block] = np.rint(own / scale) * scale
    return np.moveaxis(made, -1, axis)


def held(model):
    return {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}


@pytest.mark.parametrize("block", [32, 64])
def test_the_model_computes_what_rounding_its_weights_computes(block):
    """Blocks lie along the inputs: axis 1 of a Gemm with transB, 0 of one without and of MatMul."""
    net = seeded(NET, w1=(128, 64), b1=(128,), w2=(128, 64), w3=(64, 32))
    w, x = held(net), normal(8, 64, seed=9)
    found = quantized(copy.deepcopy(net), block).model

    hidden = np.maximum(x @ rounded(w["w1"], 1, block).T + w["b1"], 0)
    expected = hidden @ rounded(w["w2"], 0, block) @ rounded(w["w3"], 0, block)
    np.testing.assert_allclose(outputs_of(found, {"x": x})["y"], expected, atol=1e-4)


def test_weights_are_packed_and_the_account_names_them(net):
    """Two of them in a byte; scales for each block, opset 21, activations as they were."""
    found = quantized(net)
    tensors = {each.name: each for each in found.model.graph.initializer}

    assert onnx.TensorProto.INT4 == tensors["w1_quantized"].data_type
    assert 96 * 64 // 2 == len(tensors["w1_quantized"].raw_data)
    assert [[96, 2], [3, 64], [2, 32]] == [list(tensors[f"w{i}_scale"].dims) for i in (1, 2, 3)]
    assert 21 == read_opset(found.model)
    assert () == found.account.tensors
    assert ["int4"] * 3 == [each.precision for each in found.account.layers]
    assert [("w1", 1, 192, 32)] == [
        (e.name, e.axis, e.channels, e.block) for e in found.account.weights[:1]
    ]
    onnx.checker.check_model(found.model, full_check=True)


def test_one_scale_for_each_channel_where_no_block_is_asked(net):
    """Along the output channels, as for INT8."""
    found = quantized(net, None)

    tensors = held(found.model)
    assert [(96,), (64,), (32,)] == [tensors[f"w{i}_scale"].shape for i in (1, 2, 3)]
    assert tensors["w1_quantized"].dtype == ml_dtypes.int4


def test_smaller_blocks_and_clipping_err_less(net):
    """As each is meant to."""
    feed = {"x": normal(64, 64, seed=9)}
    before = outputs_of(net, feed)["y"]

    def db(block, scaling=None):
        made = quantized(copy.deepcopy(net), block, scaling=scaling).model
        return sqnr_db(before, outputs_of(made, feed)["y"])

    channel, block, clipped = db(None), db(32), db(32, WeightsMse(kind="mse"))
    assert channel < block < clipped


def test_a_model_that_comes_in_int4_is_adopted_and_named(net):
    """Byte for byte."""
    once = quantized(net).model
    before = once.SerializeToString(deterministic=True)

    found = quantize_model(once, ranges=NOTHING)
    assert before == found.model.SerializeToString(deterministic=True)
    assert ["int4"] * 3 == [each.precision for each in found.account.layers]


@pytest.mark.parametrize("block", [32, 64, None])
@pytest.mark.parametrize("high", [None, HalfSettings("fp16")], ids=["fp32", "fp16"])
def test_tensorrt_rtx_stores_the_weights_so(block, high, tmp_path):
    """Of every layer, for each capability: the plan has them in INT4, and multiplies in float."""
    pytest.importorskip("tensorrt_rtx_bindings")
    model = seeded(NET, w1=(64, 64), b1=(64,), w2=(64, 64), w3=(64, 32))
    found = quantized(model, block, high=high)
    path = tmp_path / "model.onnx"
    path.write_bytes(found.model.SerializeToString())

    target = TensorrtRtx(kind="tensorrt_rtx", compute_capabilities=(8.6, 12.0))
    shapes = {"x": ((1, 64), (4, 64), (4, 64))}
    built = target.build(
        BuildOrder(path, tmp_path / "engine", [shapes], requested=found.account.layers)
    )
    assert [("int4", {"8.6": "int4", "12.0": "int4"})] * 3 == [
        (each.delivered, each.by_capability) for each in built.layers
    ]
