from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, observed, ranges_of, seeded
from trtbuild.core.records import RequestedLayer
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import HalfSettings
from trtbuild.quant.writing.cuts import hold_cuts

ASKED = (RequestedLayer(name="cut", op="MatMul", precision="int8"),)
SHAPES = {"w": (8, 24), "b": (24,)}
CONSTANTS = """int64[5] heads = {0, 5, 3, 2, 4}, int64[4] each = {0, 5, 2, 4},
    int64[3] flat = {0, 5, 8}, int64[3] line = {-1, 5, 24}, int64[2] rows = {-1, 8},
    int64[1] i0 = {0}, int64[1] i1 = {1}, int64[1] i2 = {2}, int64[1] i3 = {3}, int64[1] ax = {0},
    int64 s0 = {0}, int64 s1 = {1}, int64 s2 = {2}, int64 last = {-1}, float half = {0.5}"""

REST = """t = Transpose<perm=[0,1,3,2]>(k)  [qk] s = MatMul(q, t)  p = Softmax<axis=-1>(s)
    [pv] o = MatMul(p, v)  o1 = Transpose<perm=[0,2,1,3]>(o)  y = Reshape(o1, flat)"""

LAYOUTS = {
    "unbound by Slice and Squeeze": """[cut] a = MatMul(x, w)  c = Add(a, b)  e = Reshape(c, heads)
        f = Transpose<perm=[2,0,3,1,4]>(e)
        q1 = Slice(f, i0, i1, ax)  k1 = Slice(f, i1, i2, ax)  v1 = Slice(f, i2, i3, ax)
        q = Squeeze(q1, ax)  k = Squeeze(k1, ax)  v = Squeeze(v1, ax)""",
    "gathered in front of the Transpose, without a bias": """[cut] a = MatMul(x, w)
        e = Reshape(a, heads)
        q1 = Gather<axis=2>(e, s0)  k1 = Gather<axis=2>(e, s1)  v1 = Gather<axis=2>(e, last)
        q2 = Transpose<perm=[0,2,1,3]>(q1)  q = Mul(q2, half)
        k = Transpose<perm=[0,2,1,3]>(k1)  v = Transpose<perm=[0,2,1,3]>(v1)""",
    "split flat, from a Gemm": """x2 = Reshape(x, rows)  [cut] a = Gemm(x2, w, b)
        e = Reshape(a, line)  q1, k1, v1 = Split<axis=-1>(e)
        q2 = Reshape(q1, each)  q = Transpose<perm=[0,2,1,3]>(q2)
        k2 = Reshape(k1, each)  k = Transpose<perm=[0,2,1,3]>(k2)
        v2 = Reshape(v1, each)  v = Transpose<perm=[0,2,1,3]>(v2)""",
    "two parts": """x0 = Reshape(x, each)  q = Transpose<perm=[0,2,1,3]>(x0)
        [cut] a = MatMul(x, w)  c = Add(b, a)  e = Reshape(c, heads)
        f = Transpose<perm=[2,0,3,1,4]>(e)
        k = Gather(f, s0)  v1 = Gather(f, s1)  v = Mul(half, v1)""",
}
EINSUM = """[cut] a = MatMul(x, w)  e = Reshape(a, heads)
    q1 = Slice(e, i0, i1, i2)  k1 = Slice(e, i1, i2, i2)  v1 = Slice(e, i2, i3, i2)
    q = Squeeze(q1, i2)  k = Squeeze(k1, i2)  v = Squeeze(v1, i2)
    s = Einsum<equation="bqhd,bkhd->bhqk">(q, k)  p = Softmax<axis=-1>(s)
    o = Einsum<equation="bhqk,bkhd->bqhd">(p, v)  y = Reshape(o, flat)"""
UNTOUCHED = {
    "a layer for each part": """[cut] a1 = MatMul(x, w1)  a2 = Reshape(a1, each)
        q = Transpose<perm=[0,2,1,3]>(a2)  k = Identity(q)  v = Identity(q)""",
    "something computed in between": """[cut] a = MatMul(x, w)  e = Reshape(a, heads)  n = Relu(e)
        f = Transpose<perm=[2,0,3,1,4]>(n)
        q = Gather(f, s0)  k = Gather(f, s1)  v = Gather(f, s2)""",
    "only one part is for the attention": """x0 = Reshape(x, each)
        k = Transpose<perm=[0,2,1,3]>(x0)
        [cut] a = MatMul(x, w)  e = Reshape(a, heads)  f = Transpose<perm=[2,0,3,1,4]>(e)
        q = Gather(f, s0)  z = Gather(f, s1)  g = Sigmoid(z)  v = Mul(k, g)""",
    "each part is for a layer of its own": """[cut] a = MatMul(x, w)
        q0, k0, v0 = Split<axis=2>(a)
        q1 = MatMul(q0, w1)  q2 = Reshape(q1, each)  q = Transpose<perm=[0,2,1,3]>(q2)
        k1 = MatMul(k0, w1)  k2 = Reshape(k1, each)  k = Transpose<perm=[0,2,1,3]>(k2)
        v1 = MatMul(v0, w1)  v2 = Reshape(v1, each)  v = Transpose<perm=[0,2,1,3]>(v2)""",
    "a layer without a weight": """x0 = Reshape(x, each)  q = Transpose<perm=[0,2,1,3]>(x0)
        x1 = Transpose<perm=[0,2,1]>(x)  x2 = MatMul(x1, x)  [cut] a = MatMul(x, x2)
        k0, v0 = Split<axis=2>(a)  k = Unsqueeze(k0, i1)  v = Unsqueeze(v0, i1)""",
}


def block(body):
    text = f"g (float[N,5,8] x) => (float[N,5,8] y) <{CONSTANTS}> {{ {body}\n{REST} }}"
    return seeded(text, **SHAPES, w1=(8, 8))


def held_in(model):
    """The parts that an Add of -0.0 stands behind."""
    return [node.input[0] for node in model.graph.node if node.name.endswith("_hold")]


@pytest.mark.parametrize(
    ("layout", "parts"),
    [
        ("unbound by Slice and Squeeze", ["q1", "k1", "v1"]),
        ("gathered in front of the Transpose, without a bias", ["q1", "k1", "v1"]),
        ("split flat, from a Gemm", ["q1", "k1", "v1"]),
        ("two parts", ["v1", "k"]),
    ],
)
def test_each_part_is_held_and_no_bit_changes(layout, parts):
    """However queries, keys and values are cut: an Add behind each, and the same results."""
    model = block(LAYOUTS[layout])
    feed = {"x": normal(2, 5, 8)}
    before = outputs_of(model, feed)["y"]

    (remark,) = hold_cuts(model, ASKED)

    assert "from `cut` stands an Add of -0.0" in remark
    assert parts == held_in(model)
    onnx.checker.check_model(model, full_check=True)
    assert before.tobytes() == outputs_of(model, feed)["y"].tobytes()


def test_an_attention_may_be_written_by_einsum():
    """Its products are two activations', too."""
    text = f"g (float[N,5,8] x) => (float[N,5,8] y) <{CONSTANTS}> {{ {EINSUM} }}"
    model = seeded(text, w=(8, 24))

    hold_cuts(model, ASKED)

    assert ["q1", "k1", "v1"] == held_in(model)


def test_held_cuts_are_not_held_again():
    """A second time changes nothing, and says nothing."""
    model = block(LAYOUTS["unbound by Slice and Squeeze"])
    hold_cuts(model, ASKED)
    once = copy.deepcopy(model)

    assert () == hold_cuts(model, ASKED)
    assert once == model


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_other_layers_are_not_touched(body):
    """Where TensorRT-RTX gives INT8 as it is, the model stays what it was."""
    model = block(body)
    before = model.SerializeToString()

    assert () == hold_cuts(model, ASKED)
    assert before == model.SerializeToString()


def test_a_layer_that_is_not_asked_for_in_int8_is_not_touched():
    """What stays float has no INT8 to lose."""
    model = block(LAYOUTS["two parts"])
    before = model.SerializeToString()

    assert () == hold_cuts(model, [ASKED[0].model_copy(update={"precision": "fp32"})])
    assert before == model.SerializeToString()


def test_minus_zero_stays_minus_zero():
    """+0.0 would change the sign of a zero; -0.0 does not."""
    model = block(LAYOUTS["two parts"])
    hold_cuts(model, ASKED)
    zero = next(each for each in model.graph.initializer if each.name == "negative_zero")

    assert np.signbit(onnx.numpy_helper.to_array(zero))


@pytest.mark.parametrize(
    ("high", "expected"), [(None, np.float32), (HalfSettings("fp16"), np.float16)]
)
def test_quantization_holds_cuts_in_their_own_type(high, expected):
    """Behind the pairs' making and behind 16 bits: an Add's operands are of one type."""
    model = block(LAYOUTS["unbound by Slice and Squeeze"])
    ranges = observed(model, {"x": normal(2, 5, 8)})

    found = quantize_model(model, ranges=ranges, high=high)

    assert ["q1", "k1", "v1"] == held_in(found.model)
    assert 1 == sum("Add of -0.0" in remark for remark in found.account.remarks)
    onnx.checker.check_model(found.model, full_check=True)
    values = {t.name: onnx.numpy_helper.to_array(t) for t in found.model.graph.initializer}
    assert expected == values["negative_zero"].dtype


def test_a_quantized_model_is_held_too():
    """Whoever quantized it: TensorRT-RTX would take INT8 from it without a word."""
    model = block(LAYOUTS["unbound by Slice and Squeeze"])
    made = quantize_model(model, ranges=observed(model, {"x": normal(2, 5, 8)})).model

    found = quantize_model(without_holds(made), ranges=ranges_of())

    assert ["q1", "k1", "v1"] == held_in(found.model)


def without_holds(model):
    """Take the Adds out again: a model as somebody else would have quantized it."""
    nodes = [copy.deepcopy(node) for node in model.graph.node]
    holds = {node.output[0]: node.input[0] for node in nodes if node.name.endswith("_hold")}
    kept = [node for node in nodes if node.output[0] not in holds]
    for node in kept:
        for slot, name in enumerate(node.input):
            node.input[slot] = holds.get(name, name)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    return model
