"""fold_constants: `y = f(c)` → y is a constant."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs
import pytest

from tests.helpers.models import graph_of
from trtbuild.fixes.fold_constants import FoldConstants

FOLD = FoldConstants(kind="fold_constants")


def folded(text, fix=FOLD, weights=None):
    graph = graph_of(text, weights)
    account = fix.apply(graph)
    return graph.cleanup(), account


def ops(graph):
    return [node.op for node in graph.nodes]


def test_what_depends_on_constants_is_computed():
    """(1, 2) + (3, 4) = (4, 6), then negated; the rest of the graph reads the result."""
    graph, account = folded(
        """g (float[2] x) => (float[2] y) <float[2] a = {1, 2}, float[2] b = {3, 4}>
        { c = Add(a, b)  d = Neg(c)  y = Add(x, d) }"""
    )

    assert ["Add"] == ops(graph)
    assert [-4, -6] == graph.nodes[0].inputs[1].values.tolist()
    assert ["c", "d"] == account.changes


def test_float_constants_keep_their_type():
    """A weight's arithmetic stays in float32."""
    graph, _ = folded(
        "g (float[2] x) => (float[2] y) <float a = {3}> { b = Sqrt(a)  y = Mul(x, b) }"
    )

    assert np.float32 == graph.nodes[0].inputs[1].dtype


SIZES = {
    "Shape": ("s = Shape(x)", [2, 3, 4]),
    "Shape with an end": ("s = Shape<start = 1, end = 2>(x)", [3]),
    "Shape with a start from behind": ("s = Shape<start = -1>(x)", [4]),
    "Gather of one": ("t = Shape(x)  s = Gather(t, two)", 4),
    "Gather of several": ("t = Shape(x)  s = Gather(t, pair)", [4, 2]),
    "Slice": ("t = Shape(x)  s = Slice(t, one, far)", [3, 4]),
}


@pytest.mark.parametrize("case", SIZES)
def test_sizes_that_are_known_are_constants(case):
    """Of an input [2, 3, 4]."""
    text, wanted = SIZES[case]
    graph, _ = folded(
        f"""g (float[2, 3, 4] x, int64 k) => (int64{[len(wanted)] if wanted != 4 else ""} y)
        <int64 two = {{2}}, int64[2] pair = {{-1, 0}}, int64[1] one = {{1}}, int64[1] far = {{99}}>
        {{ {text}  y = Mul(s, k) }}"""
    )

    assert ["Mul"] == ops(graph)
    assert wanted == graph.tensors()["s"].values.tolist()


def test_the_static_part_of_a_dynamic_shape_is_enough():
    """Of [N, 3, 4], Gather(Shape, 2) is 4 and Gather(Shape, 0) is not known."""
    graph, _ = folded(
        """g (float[N, 3, 4] x) => (int64 y) <int64 zero = {0}, int64 two = {2}>
        { s = Shape(x)  a = Gather(s, zero)  b = Gather(s, two)  y = Mul(a, b) }"""
    )

    assert ["Shape", "Gather", "Mul"] == ops(graph)
    assert 4 == graph.nodes[2].inputs[1].values


def test_what_folding_reveals_is_folded_too():
    """A Reshape to a computed constant has a shape only once that is computed."""
    graph, account = folded(
        """g (float[2, 6] x) => (int64[2] y) <int64[2] t = {-3, -4}, int64[2] k = {1, 1}>
        { u = Neg(t)  r = Reshape(x, u)  n = Shape(r)  y = Add(n, k) }"""
    )

    assert [4, 5] == graph.outputs[0].values.tolist()
    assert ["u", "n", "y"] == account.changes


def test_half_of_a_size_stays_half():
    """Casting to float, halving, casting back: 0.5 must not become the integer 0."""
    graph, _ = folded(
        """g (int64[1] x) => (int64[1] y) <float[1] half = {0.5}>
        { f = Cast<to = 1>(x)  h = Mul(f, half)  y = Cast<to = 7>(h) }"""
    )

    assert ["Cast", "Mul", "Cast"] == ops(graph)
    assert [0.5] == graph.nodes[1].inputs[1].values.tolist()


def test_quantized_weights_stay_as_they_are():
    """A Q/DQ pair around a weight is how INT8 is asked for."""
    graph, account = folded(
        """g (float[2] x) => (float[2] y) <float[2] w = {1, 2}, float s = {0.1}, int8 z = {0}>
        { q = QuantizeLinear(w, s, z)  d = DequantizeLinear(q, s, z)  y = Add(x, d) }"""
    )

    assert ["QuantizeLinear", "DequantizeLinear", "Add"] == ops(graph)
    assert [] == account.changes


def test_random_numbers_are_not_frozen():
    """What draws anew at every run still does."""
    graph, account = folded(
        "g (float[2] x) => (float[2] y) { [r] c = RandomNormal<shape = [2]>()  y = Mul(x, c) }"
    )

    assert ["RandomNormal", "Mul"] == ops(graph)
    assert [("r", "it is random")] == account.lefts


GROW = """g (float[1000] x) => (float[1000] y) <float[1] one = {1}, int64[1] n = {1000}>
    { [grow] e = Expand(one, n)  y = Add(x, e) }"""


def test_a_result_over_the_limit_is_left_and_said():
    """1 float to 1000: 4000 bytes, over a limit of 3999."""
    graph, account = folded(GROW, FoldConstants(kind="fold_constants", size_limit=3999))

    assert ["Expand", "Add"] == ops(graph)
    assert ["grow is not folded: its result of 0.0 MB is over the size_limit"] == account.remarks


def test_a_result_within_the_limit_is_folded():
    """4000 bytes are within 4000."""
    graph, account = folded(GROW, FoldConstants(kind="fold_constants", size_limit=4000))

    assert ["Add"] == ops(graph)
    assert [] == account.remarks


def test_a_transposed_weight_is_folded_whatever_its_size():
    """A result no larger than what it is made of bloats nothing."""
    graph, _ = folded(
        "g (float[N, 30] x) => (float[N, 20] y) { t = Transpose(w)  y = MatMul(x, t) }",
        FoldConstants(kind="fold_constants", size_limit=100),
        {"w": np.zeros((20, 30), np.float32)},
    )

    assert ["MatMul"] == ops(graph)


def test_nodes_of_other_domains_are_left():
    """ONNX Runtime does not know them; what else is constant is folded all the same."""
    graph, account = folded(
        """<ir_version: 8, opset_import: ["" : 17, "plugin" : 1]>
        g (float[2] x) => (float[2] y) <float[2] a = {1, 2}>
        { [p] b = plugin.Twist(a)  c = Neg(a)  d = Add(b, c)  y = Add(x, d) }"""
    )

    assert ["Twist", "Add", "Add"] == ops(graph)
    assert ["c"] == account.changes


def test_what_cannot_be_computed_does_not_stop_the_rest():
    """An index out of bounds is left for the runtime to refuse; the other constant is folded."""
    graph, account = folded(
        """g (float[2] x) => (float[2] y)
        <float[2] a = {1, 2}, float[2] f = {3, 4}, int64[1] nine = {9}>
        { b = Gather(a, nine)  c = Neg(f)  d = Add(x, c)  y = Add(d, b) }"""
    )

    assert ["c"] == account.changes
    assert ["Gather", "Add", "Add"] == ops(graph)


def test_branches_are_left_alone():
    """A conditional stays, its branches too."""
    graph, _ = folded(
        """g (float[2] x, bool c) => (float[2] y) <float[2] a = {1, 2}>
        { y = If (c) <then_branch = t () => (float[2] p) { n = Neg(a)  p = Add(x, n) },
                      else_branch = e () => (float[2] q) { q = Neg(x) }> }"""
    )

    assert ["If"] == ops(graph)
    assert ["Neg", "Add"] == [node.op for node in graph.nodes[0].attrs["then_branch"].nodes]


def test_a_constant_output_keeps_its_name():
    """An output that is constant is still an output."""
    graph, _ = folded("g (float[2] x) => (int64[1] y) { y = Shape(x) }")

    assert isinstance(graph.outputs[0], gs.Constant)
    assert ("y", [2]) == (graph.outputs[0].name, graph.outputs[0].values.tolist())


def test_what_is_as_large_as_a_number_says_is_not_computed_unseen():
    """A Range whose end is computed too: once that is folded, its size is known, and too large."""
    graph, account = folded(
        """g (float[2] x) => (float[2] y)
        <int64 a = {0}, int64 k = {100000}, int64 c = {1}>
        { e = Mul(k, k)  r = Range(a, e, c)  m = ReduceMax<keepdims = 0>(r)  f = Cast<to = 1>(m)
          y = Add(x, f) }"""
    )

    assert ["Range", "ReduceMax", "Cast", "Add"] == ops(graph)
    assert any("size_limit" in remark for remark in account.remarks)


def test_a_range_that_is_short_is_computed():
    """Its end is computed first."""
    graph, _ = folded(
        """g (float[6] x) => (float[6] y) <float a = {0}, float k = {3}, float c = {1}>
        { e = Add(k, k)  r = Range(a, e, c)  y = Add(x, r) }"""
    )

    assert ["Add"] == ops(graph)
    assert [0, 1, 2, 3, 4, 5] == graph.nodes[0].inputs[1].values.tolist()
