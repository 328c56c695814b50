"""One layer in INT8, or all but one: the same as by hand, for less."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, observed, seeded
from trtbuild.core.values import Ranges
from trtbuild.model.nodes import name_of
from trtbuild.model.onnx_file import load_bare
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.quant.switching.layer_runs import LayerModel, LayerRuns
from trtbuild.quant.switching.operands import read_operands

RESIDUAL = """
g (float[N, 4, 8, 8] x) => (float[N, 3] y, float[N, 4, 4, 4] z)
<float[4, 4, 3, 3] a, float[4, 4, 3, 3] b, float[4, 8, 1, 1] c, float[64, 3] d> {
  one = Conv <pads = [1, 1, 1, 1]> (x, a)
  up = Relu(one)
  two = Conv <pads = [1, 1, 1, 1]> (up, b)
  sum = Add(two, x)
  pooled = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (sum)
  joined = Concat <axis = 1> (pooled, pooled)
  z = Conv(joined, c)
  flat = Flatten(z)
  y = MatMul(flat, d)
}
"""
SHAPES = {"a": (4, 4, 3, 3), "b": (4, 4, 3, 3), "c": (4, 8, 1, 1), "d": (64, 3)}
LAYERS = ["one", "two", "z", "y"]


class Quantized:
    """A float model on disk, what quantization makes of it, and what it is fed."""

    def __init__(self, folder, text=RESIDUAL, shapes=SHAPES, layers=LAYERS, size=(1, 4, 8, 8)):
        self.layers = layers
        self.model = seeded(text, **shapes)
        for node in self.model.graph.node:
            node.name = name_of(node)
        onnx.save(self.model, folder / "model.onnx")
        self.feed = {"x": normal(*size, seed=9)}
        made = self.quantize(observed(self.model, self.feed), ())
        self.ranges: Ranges = made.ranges
        bare = load_bare(folder / "model.onnx")
        self.switched = LayerModel(bare, read_operands(bare, made.model), layers, folder=folder)

    def quantize(self, ranges, skip):
        """Quantize all layers but those to skip."""
        model = copy.deepcopy(self.model)
        requests = PrecisionRequests.among(model.graph.node, skip=tuple(skip))
        return quantize_model(model, ranges=ranges, requests=requests)

    def by_hand(self, skip):
        """Run the model that quantization makes where some layers are skipped."""
        return outputs_of(self.quantize(self.ranges, skip).model, self.feed)

    def runs(self, start=0, stop=None):
        """Run some stretches of the model."""
        stretches = self.switched.cut()[start:stop]
        places = self.switched.switches.layers
        runs = LayerRuns(self.switched, stretches, places, threads=1, whole=True)
        return {
            (run.layers, run.layer if run.layer < 0 else self.switched.name(run.layer)): run
            for run in runs.run(self.feed)
        }


@pytest.fixture(scope="module")
def residual(tmp_path_factory):
    return Quantized(tmp_path_factory.mktemp("residual"))


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_is_as_if_the_others_were_skipped(residual, layer):
    """The figures are those of a model in which quantization skipped all other layers."""
    expected = residual.by_hand([each for each in LAYERS if each != layer])
    found = residual.runs()["one", layer].outputs

    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", LAYERS)
def test_all_but_one_layer_is_as_if_it_were_skipped(residual, layer):
    """The figures are those of a model in which quantization skipped this layer."""
    expected = residual.by_hand([layer])
    found = residual.runs()["others", layer].outputs

    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6)


def test_parts_of_a_model_find_the_same(residual):
    """What is measured does not rest on how the layers are shared out."""
    whole = residual.runs()
    parts = {**residual.runs(0, 1), **residual.runs(1)}

    assert whole.keys() == parts.keys()
    for key, run in whole.items():
        for name, values in run.outputs.items():
            np.testing.assert_allclose(parts[key].outputs[name], values, rtol=1e-6, atol=1e-6)


def test_nothing_is_run_again_in_front_of_a_layer(residual, monkeypatch):
    """Be it alone in INT8 or alone not: what lies where it begins is known."""
    opened = []
    whole = residual.switched.open

    def note(start, stop, sites, **given):
        opened.append((start, stop))
        return whole(start, stop, sites, **given)

    monkeypatch.setattr(residual.switched, "open", note)
    residual.runs()
    (_, stop, _), *_ = residual.switched.cut()
    two = next(x for x in residual.switched.switches.layers if residual.switched.name(x) == "two")

    assert 2 == two
    assert [(two, stop)] * 2 == [each for each in opened if 0 < each[0] < stop == each[1]]


def test_a_layers_own_output_is_looked_at(residual):
    """Own: what the layer makes of the same input in float and INT8, and what it read."""
    own = residual.runs()["one", "two"].own
    (operand,) = own.operands

    assert "up" == operand.tensor
    assert operand.integers.dtype == np.int8
    np.testing.assert_array_equal(
        operand.integers, np.clip(np.rint(operand.values / (operand.limit / 127)), -128, 127)
    )
    assert 0 < np.abs(own.exact - own.quantized).max() < 0.1
