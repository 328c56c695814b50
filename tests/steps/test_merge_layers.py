"""Parts of a sensitivity put together."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.records import Measure
from trtbuild.core.sensitivity import (
    LayerSensitivity,
    MeasuredLayers,
    PickedSamples,
    Sensitivity,
)
from trtbuild.steps.base import Context, QuietEvents, Ref
from trtbuild.steps.merge_layers import MergeLayers

FLOAT = "g (float[N, 2] x) => (float[N, 2] y) { y = Relu(x) }"
PAIR = """
g (float[N, 2] x) => (float[N, 2] y) <float s = {0.1}, int8 z = {0}> {
  q = QuantizeLinear(x, s, z)
  y = DequantizeLinear(q, s, z)
}
"""


def layer(name, value=None, **more):
    measure = Measure(metric="sqnr_db", output="y", value=value, **more)
    return LayerSensitivity(
        name=name, op="Conv", own_db=None, operands=(), alone=(measure,), others=(measure,)
    )


@pytest.fixture
def merge(tmp_path):
    """Put layers of one part together; returns what is written, and the notes."""

    def run(*layers, text=FLOAT, others=0, half=""):
        onnx.save(model_of(text), tmp_path / "model.onnx")
        part = MeasuredLayers(layers=layers, samples=4, others=others)
        (tmp_path / "part.json").write_text(part.model_dump_json())
        picked = PickedSamples(
            of=9, names=("a",) * 4, places=(0, 2, 4, 6), digests=("sha256:aa",) * 4
        )
        (tmp_path / "picked.json").write_text(picked.model_dump_json())
        inputs = {
            "fix/model": tmp_path / "model.onnx",
            "part/layers": tmp_path / "part.json",
            "pick/picked": tmp_path / "picked.json",
        }
        step = MergeLayers(
            parts=(Ref(step="part", output="layers"),),
            model=Ref(step="fix", output="model"),
            picked=Ref(step="pick", output="picked"),
            half=half,
        )
        events = QuietEvents()
        step.run(Context(inputs=inputs, out=tmp_path, events=events))
        found = (tmp_path / "sensitivity.json").read_bytes()
        return Sensitivity.model_validate_json(found), events.notes

    return run


def test_what_could_not_be_measured_stands_first(merge):
    """A NaN, say, is worse than any figure; no noise at all is best."""
    found, _ = merge(
        layer("exact", identical=True),
        layer("fair", 30.0),
        layer("bad", 10.0),
        layer("broken", remark="the candidate holds NaN or Inf", broken=True),
    )

    assert ["broken", "bad", "fair", "exact"] == [each.name for each in found.layers]


def test_it_says_what_is_compared_with_what(merge):
    """The float model; of a source that came quantized, that with its activations in float."""
    assert "FP32 model" == merge(layer("a", 1.0))[0].reference
    found, _ = merge(layer("a", 1.0), text=PAIR)

    assert "source (INT8 Q/DQ) with its activations in float" == found.reference


def test_what_is_not_as_it_is_built_is_said(merge):
    """Pairs that belong to no layer; 16 bits that are computed in 32."""
    found, notes = merge(layer("a", 1.0), others=2, half="fp16")

    assert list(found.remarks) == notes
    assert notes[0].startswith("2 operands are INT8 for the sake of no layer")
    assert "what is not INT8 is computed in FP32 here, and in FP16 when it is built" == notes[1]
