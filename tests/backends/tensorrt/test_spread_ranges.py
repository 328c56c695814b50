"""What has a range of its own lends it to what the parser put around it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.networks import TRT, Layer, Network, tensor, tensors
from trtbuild.backends.tensorrt.spread_ranges import list_tensors, read_onnx_nodes, spread_limits


def spread(network, **known):
    layers = list(network.layers)
    return spread_limits(TRT, known, layers, dict(list_tensors(network, layers)))


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        ({"x": 2.0, "y": 2.0}, "SHUFFLE"),
        ({"x": 2.0, "y": 2.0}, "SLICE"),
        ({"x": 2.0}, "ACTIVATION"),
    ],
)
def test_what_is_moved_keeps_its_range(expected, kind):
    """Values are the same; what computes makes others."""
    x, y = tensors("x", "y")

    assert expected == spread(Network([x], [Layer(kind, [x], [y])]), x=2.0)


def test_what_lies_within_a_node_has_the_range_of_its_output():
    """A Gemm becomes a product and a sum: only the sum has the name that calibration knew."""
    x, inner, y = tensors("x", "(Unnamed Layer* 0)_output", "y")
    network = Network(
        [x],
        [
            Layer("MATRIX_MULTIPLY", [x], [inner], node="fc"),
            Layer("ELEMENTWISE", [inner], [y], node="fc"),
        ],
    )

    assert {"x": 1.0, inner.name: 4.0, "y": 4.0} == spread(network, x=1.0, y=4.0)


def test_a_constant_has_the_range_of_its_values():
    """Whatever was said of it; one of integers, or of zeros alone, has none."""
    w, zero, count = tensors("w", "zero", "count")
    network = Network(
        [],
        [
            Layer("CONSTANT", [], [w], values=np.array([[-3.0, 2.0]], np.float32)),
            Layer("CONSTANT", [], [zero], values=np.zeros(2, np.float32)),
            Layer("CONSTANT", [], [count], values=np.array([7])),
        ],
    )

    assert {"w": 3.0} == spread(network, w=1.0)


def test_a_range_of_nothing_is_none():
    """0 is no range: TensorRT would divide by it."""
    x, y = tensors("x", "y")

    assert {} == spread(Network([x], [Layer("SHUFFLE", [x], [y])]), x=0.0)


def test_shapes_and_integers_are_no_tensors_of_values():
    """Half and bfloat16 are; an output that is not there is passed over."""
    x, size, best = tensor("x", "HALF"), tensor("size", shape_tensor=True), tensor("best", "INT64")
    layer = Layer("TOPK", [x], [tensor("b", "BF16"), best, None, size])

    assert ["x", "b"] == [name for name, _ in list_tensors(Network([x], []), [layer])]


@pytest.mark.parametrize(
    ("expected", "metadata"),
    [
        (("fc",), "[ONNX Layer: fc]"),
        (("a/b", "c"), "[ONNX Layer: a/b]\x1e[ONNX Layer: c]\x1f"),
        (("odd [0]",), "[ONNX Layer: odd [0]]"),
        ((), ""),
        ((), None),
    ],
)
def test_a_layer_knows_its_nodes(expected, metadata):
    """One, several that were fused, or none."""
    layer = Layer("ELEMENTWISE")
    layer.metadata = metadata

    assert expected == read_onnx_nodes(layer)
