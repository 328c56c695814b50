from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file

from calib_data.digits import load
from tests.helpers.models import model_of
from trtbuild.calib.first_layers import find_doubts, find_first_layers
from trtbuild.calib.histogram import Histogram

CONV = """
<ir_version: 8, opset_import: ["" : 17]>
net (float[N, 1, 1, 4] x) => (float[N, 2, 1, 2] y)
<float[2, 1, 1, 3] w = {0, 3, 4, 0, 0, 5}, float[2] b = {-0.5, 0.5}>
{ t = Identity(x)  y = Conv(t, w, b) }
"""
GEMM = """
<ir_version: 8, opset_import: ["" : 17]>
net (float[N, 2] x) => (float[N, 2] y)
<float[2, 2] w = {3, 0, 4, 5}, float[2] b = {1, 3}>
{ h = Gemm(x, w, b)  y = Gemm(h, w, b) }
"""


TRAINED = """
<ir_version: 8, opset_import: ["" : 17]>
net (float[N, 1, 8, 8] x) => (float[N, 128] y) {
    h = Flatten(x)
    y = Gemm<transB=1>(h, w, b)
}
"""


def histogram_of(values):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return histogram


@pytest.mark.parametrize(("text", "tensor", "bias"), [(CONV, "t", 0.5), (GEMM, "x", 2.0)])
def test_the_first_layers_read_the_inputs(text, tensor, bias):
    """Moves of values do not count; a channel's weights 3 and 4 have the norm 5."""
    (found,) = find_first_layers(model_of(text), folder=Path())

    assert (tensor, 5.0, bias) == (found.tensor, found.gain, found.bias)


@pytest.mark.parametrize(("size", "word"), [(1.0, None), (100.0, "large"), (0.001, "small")])
def test_data_of_another_order_is_doubted(size, word):
    """Weights of norm 5 make 10 biases of data of size 1, 1000 of size 100, 0.01 of size 0.001."""
    layers = find_first_layers(model_of(CONV), folder=Path())

    found = list(find_doubts(layers, {"t": histogram_of([size, -size])}))

    assert [word] * (word is not None) == [text.split()[6] for text in found]
    assert all(f"spans {-size:.4g} to {size:.4g}" in text for text in found)


def test_of_zeros_nothing_is_said():
    """That they are all zero is another remark's to say."""
    model = model_of(CONV)

    assert [] == list(
        find_doubts(find_first_layers(model, folder=Path()), {"x": histogram_of([0, 0])})
    )


def test_without_biases_nothing_is_said():
    """Zeros tell nothing of what training saw."""
    layers = find_first_layers(model_of(CONV.replace("-0.5, 0.5", "0, 0")), folder=Path())

    assert [] == list(find_doubts(layers, {"t": histogram_of([1e9])}))


@pytest.mark.parametrize(("times", "doubted"), [(1, 0), (255, 1), (1 / 255, 1)])
def test_a_trained_model_knows_its_data(times, doubted):
    """The digits that a shipped model was trained on pass; 255 times off, they do not."""
    weights = load_file("recipes/models/digits_mlp.safetensors")
    model = onnx.parser.parse_model(TRAINED)
    for name, key in {"w": "fc1.weight", "b": "fc1.bias"}.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(weights[key], name))
    images, _ = load("calib")

    found = find_doubts(
        find_first_layers(model, folder=Path()), {"h": histogram_of(images * times)}
    )

    assert doubted == len(list(found))
