"""A model in 16 bits: the same function, strongly typed, its ends as they were."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, observed, ranges_of, seeded, sqnr_db
from tests.quant.test_delivered import (
    ATTENTION,
    ATTENTION_WEIGHTS,
    RESIDUAL,
    RESIDUAL_WEIGHTS,
)
from trtbuild.model.opset import read_opset
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import HalfSettings, raise_opset_for_half
from trtbuild.quant.half.half import halve
from trtbuild.quant.requests import PrecisionRequests

NETS = {
    "residual": (RESIDUAL, RESIDUAL_WEIGHTS, (2, 8, 16, 16)),
    "attention": (ATTENTION, ATTENTION_WEIGHTS, (2, 16, 32)),
}


def net(name):
    text, weights, shape = NETS[name]
    return seeded(text, **weights), {"x": normal(*shape)}


def types_of(model):
    """Return the element type of every tensor, as ONNX infers it strictly."""
    onnx.checker.check_model(model, full_check=True)
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    infos = (*graph.input, *graph.output, *graph.value_info)
    types = {info.name: info.type.tensor_type.elem_type for info in infos}
    types |= {each.name: each.data_type for each in graph.initializer}
    return {name: onnx.TensorProto.DataType.Name(found).lower() for name, found in types.items()}


def casts(model):
    return [node.name for node in model.graph.node if node.op_type == "Cast"]


@pytest.mark.parametrize("name", NETS)
def test_fp16_computes_the_same(name):
    """To 11 bits: some 60 dB and more."""
    model, feed = net(name)
    before = outputs_of(model, feed)["y"]
    found = halve(model, "fp16", largest={})

    assert {} == found
    types = types_of(model)
    assert ("float", "float") == (types["x"], types["y"])
    assert {"float16"} == {
        types[node.input[0]] for node in model.graph.node if node.op_type != "Cast"
    }
    assert ["x_fp16_cast", "y_cast"] == casts(model)
    assert sqnr_db(before, outputs_of(model, feed)["y"]) > 60


@pytest.mark.parametrize("name", NETS)
def test_int8_stays_int8_around_fp16(name):
    """Pairs take fp16 and give it: not one Cast but at the ends, and the same scales."""
    model, feed = net(name)
    exact = outputs_of(model, feed)["y"]
    ranges = observed(model, feed)
    plain = quantize_model(copy.deepcopy(model), ranges=ranges)
    found = quantize_model(model, ranges=ranges, high=HalfSettings("fp16"))

    types = types_of(found.model)
    for node in found.model.graph.node:
        if node.op_type in {"QuantizeLinear", "DequantizeLinear"}:
            float_side = node.input[0] if node.op_type == "QuantizeLinear" else node.output[0]
            assert types[float_side] == types[node.input[1]]
        if node.op_type in {"Conv", "Gemm", "MatMul"}:
            assert {"float16"} == {types[each] for each in node.input}
    assert len(casts(found.model)) <= 2
    assert plain.account.layers == found.account.layers
    loss = sqnr_db(exact, outputs_of(plain.model, feed)["y"])
    assert sqnr_db(exact, outputs_of(found.model, feed)["y"]) > loss - 1


@pytest.mark.parametrize("name", NETS)
def test_bf16_is_typed_throughout(name):
    """ONNX Runtime cannot run it on a CPU; the types are held by ONNX's own rules."""
    model, feed = net(name)
    found = quantize_model(
        copy.deepcopy(model), ranges=observed(model, feed), high=HalfSettings("bf16")
    )

    types = types_of(found.model)
    assert 22 == read_opset(found.model)
    weighted = [n for n in found.model.graph.node if n.op_type in {"Conv", "Gemm", "MatMul"}]
    assert {"bfloat16"} == {types[each] for node in weighted for each in node.input}


def test_scales_are_those_that_the_type_holds():
    """So the INT8 values are those of the model in float32."""
    model, feed = net("residual")
    ranges = observed(model, feed)
    found = quantize_model(model, ranges=ranges, high=HalfSettings("fp16"))

    assert found.account.tensors
    for tensor in found.account.tensors:
        assert tensor.scale >= ranges.tensors[tensor.name].limit / 127
        assert tensor.scale == np.float32(np.float16(tensor.scale))


KEPT = """g (float[2,8] x) => (float[2,8] y) <float big = {100000}> {
    [one] a = MatMul(x, w)  [up] b = Mul(a, big)  [down] c = Div(b, big)  [two] y = MatMul(c, v)
}"""


def test_float32_islands_are_cast_around():
    """One Cast in, one out; what is kept says why."""
    model = seeded(KEPT, w=(8, 8), v=(8, 8))
    feed = {"x": normal(2, 8)}
    before = outputs_of(model, feed)["y"]
    found = halve(model, "fp16", largest={})

    types = types_of(model)
    assert {"up", "down"} == found.keys()
    assert ("float16", "float", "float") == (types["a"], types["b"], types["c"])
    assert 4 == len(casts(model))
    assert sqnr_db(before, outputs_of(model, feed)["y"]) > 60


def test_a_pair_gives_each_reader_its_type():
    """A layer in float32 keeps its INT8: its pairs are doubled, not cast."""
    text = """g (float[2,8] x) => (float[2,8] y, float[2,8] z) {
        [one] y = MatMul(x, w)  [two] z = MatMul(x, v)
    }"""
    model = seeded(text, w=(8, 8), v=(8, 8))
    requests = PrecisionRequests(precision={"two": "fp32"})
    ranges = observed(model, {"x": normal(2, 8)})
    quantized, _ = raise_opset_for_half(
        quantize_model(model, ranges=ranges).model, "fp16", quantized=True
    )
    halve(quantized, "fp16", largest={}, requests=requests)

    types = types_of(quantized)
    nodes = {node.name: node for node in quantized.graph.node}
    assert {"float16"} == {types[name] for name in nodes["one"].input}
    assert {"float"} == {types[name] for name in nodes["two"].input}
    assert all(nodes[name].op_type != "Cast" for name in nodes if name.startswith("x_deq"))


def test_what_bodies_read_keeps_its_name_and_type():
    """They are left alone, so what they capture must be what it was."""
    text = """g (bool c, float[4] x) => (float[4] y) {
        a = Neg(x)
        z = If(c) <then_branch = t () => (float[4] p) { p = Neg(a) },
                   else_branch = e () => (float[4] q) { q = Abs(a) }>
        y = Neg(z)
    }"""
    model = seeded(text)
    feed = {"c": np.array(True), "x": np.array([1, 2, 3, 4], np.float32)}
    halve(model, "fp16", largest={})

    assert "float" == types_of(model)["a"]
    assert [-1, -2, -3, -4] == outputs_of(model, feed)["y"].tolist()


def test_casts_to_float_become_casts_to_half():
    """And constants, by initializer or node, are stored in 16 bits, once."""
    text = """g (int64[4] x) => (float[4] y) <float two = {2}> {
        [in] a = Cast<to=1>(x)  k = Constant<value = float {3}>()
        b = Mul(a, two)  c = Add(b, two)  [out] y = Add(c, k)
    }"""
    model = seeded(text)
    halve(model, "fp16", largest={})

    types = types_of(model)
    assert "float16" == types["a"]
    assert ["k_fp16", "two_fp16"] == sorted(each.name for each in model.graph.initializer)
    assert [5, 7, 9, 11] == outputs_of(model, {"x": np.arange(4)})["y"].tolist()


def test_equal_models_give_equal_bytes():
    """Nothing depends on the order of a set."""
    first, second = (net("attention")[0] for _ in range(2))
    halve(first, "fp16", largest={})
    halve(second, "fp16", largest={})

    assert first.SerializeToString(deterministic=True) == second.SerializeToString(
        deterministic=True
    )


@pytest.mark.parametrize("quantized", [False, True])
@pytest.mark.parametrize("name", NETS)
def test_inputs_and_outputs_become_half_where_asked(name, quantized):
    """No Cast is left at either end, and the function is the same."""
    model, feed = net(name)
    high = HalfSettings("fp16", keep_io_types=False)
    exact = outputs_of(model, feed)["y"]
    if quantized:
        model = quantize_model(model, ranges=observed(model, feed), high=high).model
    else:
        model, _ = raise_opset_for_half(model, "fp16", quantized=False)
        halve(model, "fp16", largest={}, keep_io_types=False)
    types = types_of(model)
    found = outputs_of(model, {"x": feed["x"].astype(np.float16)})["y"]

    assert ("float16", "float16") == (types["x"], types["y"])
    assert [] == casts(model)
    assert np.float16 == found.dtype
    assert sqnr_db(exact, found) > (25 if quantized else 45)


def test_half_ends_around_a_float32_node():
    """What stays float32 reads a Cast of the input, and its result is cast to the output."""
    model = seeded(
        "g (float[1,4] x) => (float[1,4] y, float[1,4] z) { [n] y = Exp(x)  z = Add(y, x) }"
    )
    halve(
        model,
        "fp16",
        largest={},
        requests=PrecisionRequests(precision={"n": "fp32"}),
        keep_io_types=False,
    )
    types = types_of(model)
    x = normal(1, 4).astype(np.float16)
    found = outputs_of(model, {"x": x})

    assert {"float16"} == {types[end] for end in "xyz"}
    assert {"x_fp32_cast", "y_cast"} <= set(casts(model))
    assert np.array_equal(np.exp(x.astype(np.float32)).astype(np.float16), found["y"])


def test_an_end_that_a_body_reads_stays_float32():
    """A body's reading is not rewritten."""
    model = seeded("""g (float[2] x, bool c) => (float[2] y, float[2] z) {
      z = Neg(x)
      y = If(c) <then_branch = t () => (float[2] a) { a = Abs(x) },
                 else_branch = e () => (float[2] b) { b = Neg(x) }>
    }""")
    halve(model, "fp16", largest={}, keep_io_types=False)
    types = types_of(model)

    assert ("float", "float16", "float16") == (types["x"], types["y"], types["z"])


def test_a_nameless_node_that_stays_is_called_as_before():
    """After its output's own name, not after the one that it writes now."""
    model = seeded("g (float[2,4] x) => (float[2,4] y) { y = Relu(x) }")

    found = halve(
        model,
        "fp16",
        largest={},
        requests=PrecisionRequests(precision={"y": "fp32"}),
        keep_io_types=False,
    )

    assert ["y"] == list(found)


def test_a_constant_that_is_an_output_becomes_half_where_asked():
    """Behind a Cast, under its name."""
    model = seeded(
        "g (float[2,4] x) => (float[4,6] w, float[2,6] y) { y = MatMul(x, w) }", w=(4, 6)
    )
    before = outputs_of(model, {"x": normal(2, 4)})

    halve(model, "fp16", largest={}, keep_io_types=False)

    assert {"float16"} == {types_of(model)[name] for name in ("x", "w", "y")}
    after = outputs_of(model, {"x": normal(2, 4).astype(np.float16)})
    assert np.array_equal(before["w"].astype(np.float16), after["w"])


@pytest.mark.parametrize("limit", [1e-9, 1e7])
def test_a_layer_whose_scale_fp16_cannot_hold_stays_float(limit):
    """And says so; the scale would be infinite, or round all values to 0."""
    model = seeded("g (float[2,4] x) => (float[2,6] y) { [one] y = MatMul(x, w) }", w=(4, 6))

    found = quantize_model(model, ranges=ranges_of(x=limit), high=HalfSettings("fp16"))

    (layer,) = found.account.layers
    assert ("fp16", True) == (layer.precision, "for a scale in fp16" in layer.reason)
