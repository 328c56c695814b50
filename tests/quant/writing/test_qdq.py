from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.quant import ranges_of, seeded
from trtbuild.core.errors import StepInputError
from trtbuild.quant.placing.policy import list_candidates, place_pairs
from trtbuild.quant.writing.qdq import insert_pairs

CONV = """g (float[N,2,4,4] x) => (float[N,3,4,4] y) { [one] y = Conv(x, w, b) }"""
CONV_WEIGHTS = {"w": (3, 2, 1, 1), "b": (3,)}


def inserted(model, **limits):
    ranges = ranges_of(**(limits or dict.fromkeys(list_candidates(model), 1.0)))
    accounts = insert_pairs(model, place_pairs(model, ranges=ranges))
    onnx.checker.check_model(model, full_check=True)
    return model, accounts


def constants(model):
    return {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}


def lines(model):
    return [
        f"{node.name}: {node.op_type}({', '.join(node.input)}) -> {', '.join(node.output)}"
        for node in model.graph.node
    ]


def test_a_conv_reads_a_pair_and_a_dequantized_weight():
    """Names follow the tensors'; the nodes stand right before their first reader."""
    model, _ = inserted(seeded(CONV, **CONV_WEIGHTS))

    assert [
        "x_quantize: QuantizeLinear(x, x_scale, x_zero_point) -> x_quantized",
        "x_dequantize: DequantizeLinear(x_quantized, x_scale, x_zero_point) -> x_dequantized",
        "w_dequantize: DequantizeLinear(w_quantized, w_scale, w_zero_point) -> w_dequantized",
        "one: Conv(x_dequantized, w_dequantized, b) -> y",
    ] == lines(model)


def test_scales_and_zero_points_are_what_every_tensorrt_delivers():
    """Activations: a float32 scalar, never [1]; weights: [channels]; zero points int8 zeros."""
    model, _ = inserted(seeded(CONV, **CONV_WEIGHTS), x=254.0)
    found = constants(model)

    assert ((), np.float32, 2.0) == (
        found["x_scale"].shape,
        found["x_scale"].dtype,
        found["x_scale"].item(),
    )
    assert ((3,), np.float32) == (found["w_scale"].shape, found["w_scale"].dtype)
    assert (0, np.int8, ()) == (
        found["x_zero_point"],
        found["x_zero_point"].dtype,
        found["x_zero_point"].shape,
    )
    assert ([0, 0, 0], np.int8) == (found["w_zero_point"].tolist(), found["w_zero_point"].dtype)


def test_a_weight_is_stored_in_int8_and_its_floats_are_gone():
    """A quarter of the bytes; the bias stays float."""
    model, (_, weights) = inserted(seeded(CONV, **CONV_WEIGHTS))
    found = constants(model)

    assert np.int8 == found["w_quantized"].dtype
    assert {"b", *(f"{t}_{e}" for t in "xw" for e in ("scale", "zero_point")), "w_quantized"} == {
        *found
    }
    assert [("w", 0, 3)] == [(weight.name, weight.axis, weight.channels) for weight in weights]


def test_the_account_names_scale_and_readers():
    """A tensor that two nodes read has one pair."""
    model = seeded(
        "g (float[N,2] x) => (float[N,3] y, float[N,3] z) "
        "{ [one] y = MatMul(x, w)  [two] z = MatMul(x, v) }",
        w=(2, 3),
        v=(2, 3),
    )
    _, (tensors, _) = inserted(model, x=254.0)

    assert [("x", 254.0, 2.0, ("one", "two"))] == [
        (tensor.name, tensor.limit, tensor.scale, tensor.readers) for tensor in tensors
    ]


def test_a_graph_output_stays_float():
    """A tensor that is an output and quantized for the next layer keeps its float form."""
    model, _ = inserted(
        seeded(
            "g (float[N,2] x) => (float[N,2] m, float[N,2] y) "
            "{ m = MatMul(x, w)  y = MatMul(m, w) }",
            w=(2, 2),
        )
    )

    assert ["m", "y"] == [output.name for output in model.graph.output]
    assert "m: MatMul(x_dequantized, w_dequantized) -> m" in lines(model)


def test_a_weight_that_somebody_else_reads_keeps_its_floats():
    """A tied embedding: Gather reads floats, MatMul reads INT8."""
    model, _ = inserted(
        seeded(
            """g (int64[N] i) => (float[N,4] y) {
                e = Gather(w, i)  y = MatMul(e, w)
            }""",
            w=(4, 4),
        )
    )

    assert {"w", "w_quantized"} <= constants(model).keys()


def test_a_weight_read_in_a_subgraph_keeps_its_floats():
    """The body of an If is left alone, and so is what it reads."""
    model, _ = inserted(
        seeded(
            """g (float[N,4] x, bool c) => (float[N,4] y, float[N,4] z) {
                y = MatMul(x, w)
                z = If(c) <
                    then_branch = t () => (float[N,4] s) { s = MatMul(x, w) },
                    else_branch = e () => (float[N,4] d) { d = Identity(x) }
                >
            }""",
            w=(4, 4),
        )
    )

    assert {"w", "w_quantized"} <= constants(model).keys()


def test_a_weight_has_one_copy_for_each_axis():
    """Gemm and its transpose scale the same weight by columns and by rows."""
    model, (_, weights) = inserted(
        seeded(
            "g (float[N,4] x) => (float[N,4] y) { a = Gemm(x, w)  y = Gemm<transB=1>(a, w) }",
            w=(4, 4),
        )
    )

    assert [("w", 1), ("w", 0)] == [(weight.name, weight.axis) for weight in weights]
    assert {"w_quantized", "w_quantized_1"} <= constants(model).keys()
    assert "w" not in constants(model)


def test_a_weight_behind_identity_and_constant_nodes_is_stored_once():
    """What led to the float weight goes with it."""
    model, _ = inserted(
        model_of("""g (float[N,2] x) => (float[N,2] y, float[N,2] z) {
            c = Constant<value = float[2,2] {1, 2, 3, 4}>()  i = Identity(c)  j = Identity(i)
            y = MatMul(x, j)  z = MatMul(x, c)
        }""")
    )

    assert ["QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "MatMul", "MatMul"] == [
        node.op_type for node in model.graph.node
    ]
    assert [[42, 64], [127, 127]] == constants(model)["c_quantized"].tolist()


def test_nameless_nodes_get_the_name_of_their_output():
    """The account can name them, and a reader of the engine find them."""
    model, _ = inserted(seeded("g (float[N,2] x) => (float[N,2] y) { y = MatMul(x, w) }", w=(2, 2)))

    assert "y" == model.graph.node[-1].name


def test_taken_names_get_a_number():
    """A model that has an `x_scale` of its own keeps it."""
    model, _ = inserted(
        seeded(
            "g (float[N,2] x, float x_scale) => (float[N,2] y) "
            "{ [w_dequantize] a = Mul(x, x_scale)  y = MatMul(x, w) }",
            w=(2, 2),
        ),
        x=1.0,
    )

    assert "x_scale_1" in constants(model)
    assert "w_dequantize_1" in [node.name for node in model.graph.node]


def test_a_broken_weight_is_named():
    """A NaN is refused with the weight, the node and the next move."""
    model = model_of(
        "g (float[N,2] x) => (float[N,2] y) { [dense] y = MatMul(x, w) }",
        {"w": np.array([[1, np.nan], [2, 3]], np.float32)},
    )

    with pytest.raises(StepInputError, match="weight `w` of node `dense` holds a NaN") as raised:
        inserted(model)
    assert "export it again" in raised.value.hint


def test_equal_models_give_equal_bytes():
    """Twice from the same bytes is the same file."""
    model = seeded(CONV, **CONV_WEIGHTS)
    first, _ = inserted(copy.deepcopy(model))
    second, _ = inserted(copy.deepcopy(model))

    assert first.SerializeToString(deterministic=True) == second.SerializeToString(
        deterministic=True
    )
