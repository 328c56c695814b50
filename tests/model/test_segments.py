"""Models cut into parts: where, and that the parts make what the whole does."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, seeded
from trtbuild.model.nodes import WEIGHTED
from trtbuild.model.onnx_file import load_bare
from trtbuild.model.segments import SegmentedModel

BRANCHED = """
g (float[N, 4] x, float[N, 4] late) => (float[N, 4] y, float[N, 4] early)
<float[4, 4] a, float[4, 4] b, float[4, 4] c> {
  one = MatMul(x, a)
  act = Relu(one)
  early = Neg(act)
  two = MatMul(act, b)
  sum = Add(two, act)
  shape = Shape(sum)
  half = Constant <value = float {0.5}> ()
  scaled = Mul(sum, half)
  three = MatMul(scaled, c)
  same = Reshape(three, shape)
  y = Add(same, late)
}
"""
FEED = {"x": normal(3, 4), "late": normal(3, 4, seed=1)}


@pytest.fixture
def model():
    return seeded(BRANCHED, a=(4, 4), b=(4, 4), c=(4, 4))


def segmented(model, folder):
    onnx.save(model, folder / "model.onnx")
    return SegmentedModel(load_bare(folder / "model.onnx"), folder=folder)


@pytest.mark.parametrize("place", range(12))
def test_two_parts_make_what_the_whole_does(model, tmp_path, place):
    """Wherever it is cut: tensors that cross, outputs and inputs that are read late included."""
    parts = segmented(model, tmp_path)
    state, _ = parts.open(0, place).run(FEED)
    outputs, _ = parts.open(place, parts.end).run(state)

    for name, values in outputs_of(model, FEED).items():
        np.testing.assert_allclose(outputs[name], values, rtol=1e-6)


def test_cuts_lie_where_fewest_tensors_cross(tmp_path):
    """Between blocks, right before the layer that begins the next, and not inside of them."""
    block = (
        "m{0} = MatMul(s{0}, w)\nr{0} = Relu(m{0})\nn{0} = MatMul(r{0}, w)\ns{1} = Add(n{0}, s{0})"
    )
    lines = "\n".join(block.format(index, index + 1) for index in range(4))
    text = f"g (float[N, 4] s0) => (float[N, 4] s4) <float[4, 4] w> {{\n{lines}\n}}"
    parts = segmented(seeded(text, w=(4, 4)), tmp_path)
    layers = [i for i, node in enumerate(parts.view.nodes) if node.op_type in WEIGHTED]

    assert (4, 8, 12) == parts.choose_cuts(layers)
    assert ("s1",) == parts.list_live(4)


def test_a_tensor_inside_can_be_tapped(model, tmp_path):
    """What a part makes, and what it reads, beside what it hands on."""
    parts = segmented(model, tmp_path)
    _, taps = parts.open(0, 4, taps=["one", "x"]).run(FEED)

    np.testing.assert_array_equal(FEED["x"], taps["x"])
    np.testing.assert_allclose(taps["one"], outputs_of(tapped(model), FEED)["one"], rtol=1e-6)


def tapped(model):
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    copy.graph.output.append(onnx.helper.make_empty_tensor_value_info("one"))
    return copy


def test_weights_may_lie_in_a_file(tmp_path):
    """They are read from there, and not copied into a model."""
    model = seeded(
        "g (float[N, 64] x) => (float[N, 64] y) <float[64, 64] w> { y = MatMul(x, w) }", w=(64, 64)
    )
    onnx.save(model, tmp_path / "model.onnx", save_as_external_data=True, size_threshold=0)
    parts = SegmentedModel(load_bare(tmp_path / "model.onnx"), folder=tmp_path)
    feed = {"x": normal(2, 64)}
    outputs, _ = parts.open(0, parts.end).run(feed)

    np.testing.assert_allclose(
        outputs["y"], outputs_of(tmp_path / "model.onnx", feed)["y"], rtol=1e-6
    )
