"""Every family of models: where its pairs go, and that ONNX Runtime computes what they say."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, observed, seeded, sqnr_db
from trtbuild.model.opset import read_opset
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.requests import PrecisionRequests

IMAGE = (2, 4, 8, 8)
W, G = (4, 4, 1, 1), (4,)

# name: (body, weights, shape of x, tensor → the nodes that read it in INT8)
FAMILIES = {
    "squeeze and excite, hard swish": (
        """{ [one] a = Conv(x, w)  h = HardSwish(a)  p = GlobalAveragePool(h)
        [squeeze] b = Conv(p, v)  r = Relu(b)  [excite] c = Conv(r, w)  s = HardSigmoid(c)
        m = Mul(h, s)  [two] y = Conv(m, v) }""",
        {"w": W, "v": W},
        IMAGE,
        {"x": ["one"], "p": ["squeeze"], "r": ["excite"], "m": ["two"]},
    ),
    "upsampling": (
        """<float[4] twice = {1, 1, 2, 2}> { [one] a = Conv(x, w)  r = Relu(a)
        u = Resize<mode="nearest">(r, , twice)  [two] b = Conv(u, v)
        l = Resize<mode="linear">(b, , twice)  [three] y = Conv(l, w) }""",
        {"w": W, "v": W},
        IMAGE,
        {"x": ["one"], "u": ["two"], "l": ["three"]},
    ),
    "inception": (
        """{ [one] a = Conv(x, w)  r = Relu(a)  [three] b = Conv<pads=[1,1,1,1]>(x, k)  s = Relu(b)
        [max] p = MaxPool<kernel_shape=[3,3], pads=[1,1,1,1]>(x)  [pool] c = Conv(p, w)  t = Relu(c)
        j = Concat<axis=1>(r, s, t)  [out] y = Conv(j, o) }""",
        {"w": W, "k": (4, 4, 3, 3), "o": (4, 12, 1, 1)},
        IMAGE,
        {"x": ["one", "three", "max"], "p": ["pool"], "j": ["out"]},
    ),
    "fire": (
        """{ [squeeze] a = Conv(x, w)  r = Relu(a)  [e1] b = Conv(r, v)  s = Relu(b)
        [e3] c = Conv<pads=[1,1,1,1]>(r, k)  t = Relu(c)  j = Concat<axis=1>(s, t)
        [out] y = Conv(j, o) }""",
        {"w": W, "v": W, "k": (4, 4, 3, 3), "o": (4, 8, 1, 1)},
        IMAGE,
        {"x": ["squeeze"], "r": ["e1", "e3"], "j": ["out"]},
    ),
    "dense": (
        """<float[8] g = {1, 1, 1, 1, 1, 1, 1, 1}> { [one] a = Conv(x, w)  c = Concat<axis=1>(x, a)
        n = BatchNormalization(c, g, b, m, g)  r = Relu(n)  [two] y = Conv(r, o) }""",
        {"w": W, "o": (4, 8, 1, 1), "b": (8,), "m": (8,)},
        IMAGE,
        {"x": ["one"], "r": ["two"]},
    ),
    "depthwise": (
        """<float zero = {0}, float six = {6}> {
        [deep] a = Conv<group=4, pads=[1,1,1,1]>(x, d)  r = Clip(a, zero, six)
        [point] b = Conv(r, w)
        [add] y = Add(b, x) }""",
        {"d": (4, 1, 3, 3), "w": W},
        IMAGE,
        {"x": ["deep", "add"], "r": ["point"]},
    ),
    "detection heads": (
        """<int64[3] flat = {0, 4, 64}> { [stem] a = Conv(x, w)  r = Relu(a)
        [box] b = Conv(r, v)  f = Reshape(b, flat)  [class] c = Conv(r, u)  h = Reshape(c, flat)
        s = Sigmoid(h)  y = Concat<axis=1>(f, s) }""",
        {"w": W, "v": W, "u": W},
        IMAGE,
        {"x": ["stem"], "r": ["box", "class"]},
    ),
    "one and three dimensions": (
        """<int64[3] line = {2, 4, 64}, int64[5] room = {2, 4, 4, 4, 4},
        int64[6] tail = {0, 0, 0, 0, 0, 2}> { l = Reshape(x, line)
        [one] a = Conv(l, k)  b = Pad(a, tail)  q = Reshape(b, room)  [three] y = Conv(q, c) }""",
        {"k": (4, 4, 3), "c": (2, 4, 2, 2, 2)},
        IMAGE,
        {"l": ["one"], "q": ["three"]},
    ),
    "both ways to write a Gemm": (
        """{ [rows] a = Gemm(x, w)  r = Relu(a)  [columns] y = Gemm<transB=1>(r, v, b) }""",
        {"w": (6, 8), "v": (5, 8), "b": (5,)},
        (3, 6),
        {"x": ["rows"], "r": ["columns"]},
    ),
    "weights that are computed": (
        """<int64[2] square = {6, 6}> { t = Transpose<perm=[1,0]>(w)  [turned] a = MatMul(x, t)
        s = Reshape(v, square)  [shaped] b = MatMul(a, s)
        c = Cast<to=1>(u)  [cast] y = MatMul(b, c) }""",
        {"w": (6, 6), "v": (36,), "u": (6, 5)},
        (3, 6),
        {"x": ["turned"], "a": ["shaped"], "b": ["cast"]},
    ),
    "a weight that two nodes share": (
        """{ [one] a = MatMul(x, w)  r = Relu(a)  [two] y = MatMul(r, w) }""",
        {"w": (6, 6)},
        (3, 6),
        {"x": ["one"], "r": ["two"]},
    ),
}
RANKS = {"detection heads": 3, "one and three dimensions": 5}
"""Of the output, where it is not that of the input."""


def made(name):
    """Return a family's model, a feed and what is expected of it."""
    body, weights, shape, expected = FAMILIES[name]
    sizes = ", ".join(map(str, shape))
    ends = ", ".join("pqrst"[: RANKS.get(name, len(shape))])
    model = seeded(f"g (float[{sizes}] x) => (float[{ends}] y) {body}", **weights)
    for tensor in model.graph.initializer:
        if tensor.name == "u" and "Cast" in body:
            halved = onnx.numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(onnx.numpy_helper.from_array(halved, "u"))
    return model, {"x": normal(*shape, seed=99)}, expected


def pairs(model):
    """Map quantized tensors to the nodes that read them in INT8."""
    found = {}
    dequantized = {
        node.output[0]: node.input[0] for node in model.graph.node if node.op_type.startswith("Deq")
    }
    sources = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type[0] == "Q"}
    for node in model.graph.node:
        for name in node.input:
            if dequantized.get(name) in sources:
                found.setdefault(sources[dequantized[name]], []).append(node.name)
    return found


@pytest.mark.parametrize("name", FAMILIES)
def test_pairs_go_where_the_rules_say(name):
    """Every layer is INT8, nothing else is, and the function is the same."""
    model, feed, expected = made(name)
    exact = outputs_of(model, feed)["y"]
    result = quantize_model(model, ranges=observed(model, feed))
    onnx.checker.check_model(result.model, full_check=True)

    assert expected == pairs(result.model)
    assert {"int8"} == {layer.precision for layer in result.account.layers}
    assert sqnr_db(exact, outputs_of(result.model, feed)["y"]) > 25


def test_a_transposed_convolution_is_int8_where_it_is_asked_for():
    """TensorRT-RTX computes it in float, so it is not by itself."""
    text = "g (float[2, 4, 8, 8] x) => (float[p, q, r, s] y) { [up] y = ConvTranspose(x, w) }"
    model = seeded(text, w=(4, 6, 2, 2))
    feed = {"x": normal(*IMAGE)}
    exact, ranges = outputs_of(model, feed)["y"], observed(model, feed)
    left = quantize_model(copy.deepcopy(model), ranges=ranges).model
    found = quantize_model(
        model, ranges=ranges, requests=PrecisionRequests(precision={"up": "int8"})
    ).model

    assert ({}, {"x": ["up"]}) == (pairs(left), pairs(found))
    assert sqnr_db(exact, outputs_of(found, feed)["y"]) > 25


BRANCHES = """g (float[2, 6] x, bool c) => (float[2, 6] y) {
  [outside] a = MatMul(x, w)
  [either] b = If(c) <
    then_branch = t () => (float[2, 6] d) { [inside] d = MatMul(a, v) },
    else_branch = e () => (float[2, 6] f) { f = Identity(a) }>
  [behind] y = MatMul(b, v)
}"""
LOOP = """g (float[2, 6] x, int64 n, bool c) => (float[2, 6] y) {
  [outside] a = MatMul(x, w)
  [again] b = Loop(n, c, a) <
    body = l (int64 i, bool go, float[2, 6] s) => (bool on, float[2, 6] d) {
      on = Identity(go)  [inside] d = MatMul(s, v) }>
  [behind] y = MatMul(b, v)
}"""


@pytest.mark.parametrize(
    ("text", "more", "word"),
    [
        (BRANCHES, {"c": np.array(True)}, "the If `either`"),
        (LOOP, {"n": np.array(2), "c": np.array(True)}, "the Loop `again`"),
    ],
)
def test_bodies_are_left_alone_and_that_is_told(text, more, word):
    """Around them INT8 is as ever; the weight that a body reads too stays float for it."""
    model = seeded(text, w=(6, 6), v=(6, 6))
    feed = {"x": normal(2, 6), **more}
    exact = outputs_of(model, feed)["y"]
    before = {node.name: body_of(node) for node in model.graph.node}
    result = quantize_model(model, ranges=observed(model, feed))
    told = {layer.name: layer.reason or layer.precision for layer in result.account.layers}

    assert {"x": ["outside"], "b": ["behind"]} == pairs(result.model)
    assert {"outside": "int8", "behind": "int8", "inside": f"it lies inside {word}"} == told
    assert any(word in remark for remark in result.account.remarks)
    assert all(
        before.get(node.name, body_of(node)) == body_of(node) for node in result.model.graph.node
    )
    assert sqnr_db(exact, outputs_of(result.model, feed)["y"]) > 25


def body_of(node):
    return [attribute.g.SerializeToString() for attribute in node.attribute if attribute.g.node]


def test_weights_that_a_caller_could_replace_are_constants():
    """As old exporters wrote them: initializers that are graph inputs too."""
    model = seeded(
        "g (float[2, 6] x, float[6, 6] w) => (float[2, 6] y) { [one] y = MatMul(x, w) }", w=(6, 6)
    )
    feed = {"x": normal(2, 6)}
    exact = outputs_of(model, feed)["y"]
    result = quantize_model(model, ranges=observed(model, feed))

    assert {"x": ["one"]} == pairs(result.model)
    assert ["x"] == [value.name for value in result.model.graph.input]
    assert sqnr_db(exact, outputs_of(result.model, feed)["y"]) > 25


NET = """<ir_version: IR, opset_import: ["" : OPSET]>
g (float[2, 4, 8, 8] x) => (float[2, 5] y)
<int64[2] rows = {2, 4}, float[4] one = {1, 1, 1, 1}, float[4] zero = {0, 0, 0, 0}> {
  [stem] a = Conv<pads=[1,1,1,1]>(x, w, b)  n = BatchNormalization(a, one, b, zero, one)
  r = Relu(n)
  p = MaxPool<kernel_shape=[2,2], strides=[2,2]>(r)
  [main] c = Conv<pads=[1,1,1,1]>(p, k)  [add] s = Add(c, p)  t = Relu(s)
  [join] j = Concat<axis=1>(t, p)  [mix] m = Conv(j, o)
  q = GlobalAveragePool(m)  f = Reshape(q, rows)
  [fc] h = Gemm(f, d, b)  e = Softmax<axis=1>(h)  [last] y = MatMul(e, z)
}"""


@pytest.mark.parametrize("opset", range(7, 26))
def test_every_opset_is_taken_and_raised_no_further_than_needed(opset):
    """Up to 12 to 13, which has scales by channel; from 13 on it stays. The pairs are the same."""
    text = NET.replace("OPSET", str(opset)).replace("IR", str(10 if opset > 20 else 4))
    weights = {"w": (4, 4, 3, 3), "k": (4, 4, 3, 3), "o": (4, 8, 1, 1), "d": (4, 4), "z": (4, 5)}
    model = seeded(text, b=(4,), **weights)
    feed = {"x": normal(*IMAGE)}
    exact = outputs_of(model, feed)["y"]
    result = quantize_model(model, ranges=observed(model, feed))
    onnx.checker.check_model(result.model, full_check=True)

    assert max(13, opset) == read_opset(result.model) == result.account.opset
    assert {
        "x": ["stem"],
        "p": ["main", "add", "join"],
        "j": ["mix"],
        "f": ["fc"],
        "e": ["last"],
    } == pairs(result.model)
    assert sqnr_db(exact, outputs_of(result.model, feed)["y"]) > 25
