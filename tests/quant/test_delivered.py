"""What TensorRT-RTX makes of our placement; it compiles for a GPU without having one."""

from __future__ import annotations

import copy
import logging

import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, observed, ranges_of, seeded, sqnr_db
from trtbuild.backends.base import BuildOrder
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.quantized_types import FP8, INT8
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.requests import PrecisionRequests

# Polygraphy sets a timing cache whatever the builder; TensorRT-RTX calls that deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*Timing cache operations are no-ops:DeprecationWarning"
)

RESIDUAL = """g (float[N,8,16,16] x) => (float[N,4] y) {
    [stem] a = Conv<pads=[1,1,1,1]>(x, w8, b8)  r = Relu(a)
    [pool] p = MaxPool<kernel_shape=[2,2], strides=[2,2]>(r)
    [one] c = Conv<pads=[1,1,1,1]>(p, v8, b8)  d = Relu(c)
    [two] e = Conv<pads=[1,1,1,1]>(d, w8)  [add] f = Add(e, p)  h = Relu(f)
    [down] i = Conv<strides=[2,2]>(h, k8)  [three] j = Conv<pads=[1,1,1,1], strides=[2,2]>(h, w8)
    [join] k = Add(j, i)  l = Relu(k)
    [deep] m = Conv<group=8, pads=[1,1,1,1]>(l, g8)  n = HardSwish(m)
    q = GlobalAveragePool(n)  s = Flatten(q)  [fc] y = Gemm<transB=1>(s, f8, b4)
}"""
RESIDUAL_WEIGHTS = {
    "w8": (8, 8, 3, 3),
    "v8": (8, 8, 3, 3),
    "k8": (8, 8, 1, 1),
    "g8": (8, 1, 3, 3),
    "b8": (8,),
    "f8": (4, 8),
    "b4": (4,),
}

ATTENTION = """g (float[N,16,32] x) => (float[N,16,32] y)
<int64[4] heads = {0, 16, 4, 8}, int64[3] flat = {0, 16, 32}, float half = {0.35}> {
    [q] q0 = MatMul(x, wq)  q1 = Reshape(q0, heads)  q2 = Transpose<perm=[0,2,1,3]>(q1)
    [k] k0 = MatMul(x, wk)  k1 = Reshape(k0, heads)  k2 = Transpose<perm=[0,2,3,1]>(k1)
    [v] v0 = MatMul(x, wv)  v1 = Reshape(v0, heads)  v2 = Transpose<perm=[0,2,1,3]>(v1)
    [qk] s = MatMul(q2, k2)  t = Mul(s, half)  p = Softmax<axis=-1>(t)  [pv] c = MatMul(p, v2)
    c1 = Transpose<perm=[0,2,1,3]>(c)  c2 = Reshape(c1, flat)
    [out] o = MatMul(c2, wo)  r = Add(x, o)  n = LayerNormalization(r, g, g)
    [up] u = MatMul(n, wu)  h = Relu(u)  [down] d = MatMul(h, wd)  y = Add(r, d)
}"""
ATTENTION_WEIGHTS = {
    **dict.fromkeys(("wq", "wk", "wv", "wo"), (32, 32)),
    "g": (32,),
    "wu": (32, 64),
    "wd": (64, 32),
}

PACKED = """g (float[N,16,32] x) => (float[N,16,32] y)
<int64[5] heads = {0, 16, 3, 2, 16}, int64[3] flat = {0, 16, 32}, float half = {0.35},
    int64[1] i = {0}, int64[1] j = {1}, int64[1] k = {2}, int64[1] l = {3}> {
    [qkv] a = MatMul(x, w)  b = Add(a, c)  d = Reshape(b, heads)
    e = Transpose<perm=[2,0,3,1,4]>(d)
    q0 = Slice(e, i, j, i)  k0 = Slice(e, j, k, i)  v0 = Slice(e, k, l, i)
    q1 = Squeeze(q0, i)  k1 = Squeeze(k0, i)  v1 = Squeeze(v0, i)
    k2 = Transpose<perm=[0,1,3,2]>(k1)
    [qk] s = MatMul(q1, k2)  t = Mul(s, half)  u = Add(t, m)  p = Softmax<axis=-1>(u)
    [pv] f = MatMul(p, v1)  g = Transpose<perm=[0,2,1,3]>(f)  h = Reshape(g, flat)
    [out] o = MatMul(h, wo)  y = Add(x, o)
}"""
PACKED_WEIGHTS = {"w": (32, 96), "c": (96,), "wo": (32, 32), "m": (16, 16)}

OPERANDS = """
g (float[2,8,16] x) => (float[2,8,4] a, float[2,3,16] b, float[2,8,4] c, float[5,2] e) {
    [stacked] a = MatMul(x, w2)  [first] b = MatMul(w1, x)  [flat] c = MatMul(x, w0)
    d0 = ReduceMean<axes=[1], keepdims=0>(x)  [constant_a] e = Gemm<transB=1>(w5, d0)
}"""
CONVOLUTIONS = """g (float[2,8,12] x) => (float y, float z, float v) <
    int64[4] square = {2, 8, 3, 4}, int64[5] cube = {2, 8, 3, 2, 2}> {
    [one] y = Conv<pads=[1,1]>(x, w1)
    x2 = Reshape(x, square)  [grouped] g = Conv<group=2, pads=[1,1,1,1]>(x2, w2)  h = Relu(g)
    [dilated] z = Conv<pads=[2,2,2,2], dilations=[2,2]>(h, w22)
    x3 = Reshape(x, cube)  [three] v = Conv<pads=[1,1,1,1,1,1]>(x3, w3)
}"""
CONVOLUTION_WEIGHTS = {
    "w1": (8, 8, 3),
    "w2": (8, 4, 3, 3),
    "w22": (8, 8, 3, 3),
    "w3": (8, 8, 3, 3, 3),
}
OPERAND_WEIGHTS = {"w0": (16, 4), "w1": (3, 8), "w2": (2, 16, 4), "w5": (5, 16)}


@pytest.mark.parametrize(
    ("text", "shapes", "feed"),
    [
        (RESIDUAL, RESIDUAL_WEIGHTS, normal(4, 8, 16, 16)),
        (ATTENTION, ATTENTION_WEIGHTS, normal(4, 16, 32)),
        (PACKED, PACKED_WEIGHTS, normal(4, 16, 32)),
        (OPERANDS, OPERAND_WEIGHTS, normal(2, 8, 16)),
        (CONVOLUTIONS, CONVOLUTION_WEIGHTS, normal(2, 8, 12)),
    ],
    ids=["residual", "attention", "packed attention", "operands", "convolutions"],
)
@pytest.mark.parametrize("into", [INT8, FP8], ids=["INT8", "FP8"])
def test_every_layer_asked_for_is_delivered(text, shapes, feed, into, tmp_path):
    """Conv, depthwise, Gemm, MatMul of every form: so in the plan for compute capability 8.9.

    So are queries, keys and values of one MatMul, and the two MatMuls around a mask.
    """
    model, asked = seeded(text, **shapes), PrecisionRequests(precision={"*": into.name})
    found = quantize_model(model, ranges=observed(model, {"x": feed}), into=into, requests=asked)

    assert all_delivered(found, feed, tmp_path, dynamic="N" in text, into=into)


def test_two_types_beside_each_other_are_delivered(tmp_path):
    """Each layer in its own, also where both read one tensor."""
    model = seeded(
        "g (float[2,16,8,8] x) => (float[2,16,8,8] y) { [one] a = Conv(x, w)  r = Relu(a)"
        "[two] b = Conv(r, v)  [three] c = Conv(r, u)  y = Add(b, c) }",
        **dict.fromkeys("wvu", (16, 16, 1, 1)),
    )
    feed = normal(2, 16, 8, 8)
    asked = PrecisionRequests(precision={"two": "fp8"})
    ranges = observed(model, {"x": feed})
    found = quantize_model(model, ranges=ranges, requests=asked)

    built = build(found, feed, tmp_path, dynamic=False)
    assert [("one", "int8"), ("two", "fp8"), ("three", "int8")] == [
        (layer.name, layer.delivered) for layer in built.layers
    ]


def test_a_model_from_onnxruntime_is_delivered_after_repair(tmp_path):
    """Its defaults (asymmetric, INT32 bias, Relus removed) are what TensorRT would not take."""
    feed = normal(4, 8, 16, 16)
    model = seeded(RESIDUAL, **RESIDUAL_WEIGHTS)
    before = outputs_of(model, {"x": feed})["y"]
    theirs = quantized_by_onnxruntime(model, feed, tmp_path)

    found = quantize_model(theirs, ranges=ranges_of())

    assert {"fold_bias", "make_symmetric"} <= {
        remark.split(":")[0] for remark in found.account.remarks
    }
    assert sqnr_db(before, outputs_of(found.model, {"x": feed})["y"]) > 25
    assert all_delivered(found, feed, tmp_path, dynamic=True)


TWINS = """g (float[2,8,16,16] x) => (float[2,8,16,16] y, float[2,8,16,16] z) {
    [one] y = Conv<pads=[1,1,1,1]>(x, w, b)  [two] z = Conv<pads=[1,1,1,1]>(x, v)
}"""


def test_layers_of_one_input_and_equal_integers_are_delivered(tmp_path):
    """A shared weight with two BatchNormalizations folded in: the compiler does its sums once."""
    model = seeded(TWINS, w=(8, 8, 3, 3), b=(8,), v=(8, 8, 3, 3))
    first, _, second = model.graph.initializer
    scales = np.arange(1, 9, dtype=np.float32).reshape(8, 1, 1, 1)
    second.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(first) * scales, "v"))
    feed = normal(2, 8, 16, 16)
    found = quantize_model(model, ranges=observed(model, {"x": feed}))

    assert all_delivered(found, feed, tmp_path, dynamic=False)


def quantized_by_onnxruntime(model, feed, folder):
    """Quantize with onnxruntime.quantization as it comes; it advises against that on the log."""
    from onnxruntime import quantization as ort

    class Once:
        def __init__(self):
            self.left = [{"x": feed}]

        def get_next(self):
            return self.left.pop() if self.left else None

    named = copy.deepcopy(model)
    for node in named.graph.node:
        node.name = node.name or node.output[0]
    onnx.save(named, folder / "float.onnx")
    logging.disable(logging.WARNING)
    try:
        ort.quantize_static(folder / "float.onnx", folder / "theirs.onnx", Once())
    finally:
        logging.disable(logging.NOTSET)
    return onnx.load(folder / "theirs.onnx")


def build(found, feed, folder, *, dynamic):
    """Build for 8.9."""
    path = folder / "model.onnx"
    path.write_bytes(found.model.SerializeToString())
    profile = {"x": ((1, *feed.shape[1:]), feed.shape, feed.shape)}
    return TensorrtRtx(kind="tensorrt_rtx", compute_capabilities=(8.9,)).build(
        BuildOrder(
            path,
            folder / "engine",
            profiles=[profile] if dynamic else [],
            requested=found.account.layers,
        )
    )


def all_delivered(found, feed, folder, *, dynamic, into=INT8):
    """Tell whether every weighted layer was asked for and delivered so."""
    built = build(found, feed, folder, dynamic=dynamic)
    assert {layer.name: into.name for layer in built.layers} == {
        layer.name: layer.asked for layer in built.layers
    }
    assert {layer.name: into.name for layer in built.layers} == {
        layer.name: layer.delivered for layer in built.layers
    }
    return len(built.layers) == len(found.account.layers) > 0
