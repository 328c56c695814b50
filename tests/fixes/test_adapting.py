"""Reshape, Resize and Slice follow sizes that they were not exported for."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from tests.helpers.models import graph_of, outputs_of
from trtbuild.fixes.set_dimension import SetDimension

HEAD = """g (float[1, 3, 8, 8] x) => (float[1, 2, 20] y)
    <int64[3] s = {1, 2, 16}, int64[3] t = {1, 2, 4}, int64[1] st = {0}, int64[1] e = {8},
     int64[1] two = {2}, int64[4] up = {1, 2, 4, 4}> {
    [cut] z = Slice(x, st, e, two)
    a = Conv<strides = [2, 2], pads = [1, 1, 1, 1]>(z, w)
    [one] p = Reshape(a, s)
    b = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(a)
    [grow] u = Resize<mode = "nearest">(b, "", "", up)
    c = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(u)
    [two] q = Reshape(c, t)
    y = Concat<axis = 2>(p, q) }"""
WEIGHT = {"w": np.random.default_rng(0).normal(size=(2, 3, 3, 3)).astype(np.float32)}


def adapted(*fixes):
    graph = graph_of(HEAD, WEIGHT)
    logs = [
        SetDimension(kind="set_dimension", tensor="x", axis=axis, size=size).apply(graph)
        for axis, size in fixes
    ]
    return graph, logs


def run(graph, *size):
    feed = np.random.default_rng(1).normal(size=(*size,)).astype(np.float32)
    return outputs_of(gs.export_onnx(graph), {"x": feed})["y"]


def test_a_detectors_sizes_become_dynamic():
    """One side after the other, and the batch: each scale of the head follows."""
    graph, logs = adapted((2, "h"), (3, "w"), (0, "N"))

    assert (3, 2, 16 * 12 // 4 + 8 * 6 // 4) == run(graph, 3, 3, 16, 12).shape
    assert {"x", "cut", "one", "two", "grow"} == {
        text.partition(":")[0] for text in logs[0].changes
    }


def test_results_at_the_old_size_stay():
    """Whatever is dynamic now."""
    before = run(graph_of(HEAD, WEIGHT), 1, 3, 8, 8)
    graph, _ = adapted((2, "h"), (3, "w"), (0, "N"))

    np.testing.assert_array_equal(before, run(graph, 1, 3, 8, 8))


def test_another_fixed_size_is_written_in_numbers():
    """No sizes are computed where none change."""
    graph, logs = adapted((2, 16), (3, 24))

    assert (1, 2, 8 * 12 + 4 * 6) == run(graph, 1, 3, 16, 24).shape
    assert "one: reshapes to [1, 2, 96], was [1, 2, 32]" in logs[1].changes
    assert "Shape" not in {node.op for node in graph.nodes}


ANCHORS = """g (float[1, 6, 4, 4] x) => (float[1, 3, 4, 4, 2] y) <int64[5] s = {1, 3, 2, 4, 4}>
    { [split] r = Reshape(x, s)  y = Transpose<perm = [0, 1, 3, 4, 2]>(r) }"""


def test_sizes_in_other_places_are_computed():
    """Two of them, of which one -1 cannot stand for both."""
    graph = graph_of(ANCHORS)
    for axis, size in ((2, "h"), (3, "w")):
        SetDimension(kind="set_dimension", tensor="x", axis=axis, size=size).apply(graph)
    feed = np.arange(6 * 8 * 5, dtype=np.float32).reshape(1, 6, 8, 5)
    found = outputs_of(gs.export_onnx(graph), {"x": feed})["y"]

    np.testing.assert_array_equal(feed.reshape(1, 3, 2, 8, 5).transpose(0, 1, 3, 4, 2), found)
