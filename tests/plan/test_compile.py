"""Which steps a recipe becomes, and which options reach them."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.models import model_of
from trtbuild.plan.compile import compile_recipe
from trtbuild.recipe.load import loaded
from trtbuild.recipe.source import parse
from trtbuild.steps.base import Pinned

RECIPE = """\
version: 1
name: tiny
model: {kind: onnx, path: tiny.onnx}
targets:
  reference: {kind: onnxruntime}
"""
INT8 = "quantization: {ranges: {x: 1.0}}\n"


def steps_of(tmp_path, text):
    """Return the steps by name; nothing is read but the text."""
    model = model_of("g (float[1] x) => (float[1] y) { y = Relu(x) }")
    (tmp_path / "tiny.onnx").write_bytes(model.SerializeToString())
    recipe = loaded(Path("tiny.yaml"), parse("tiny.yaml", text.encode())).recipe
    plan = compile_recipe(
        recipe,
        base=tmp_path,
        pin=lambda path: Pinned(path=str(path), digest="sha256:aa"),
        weights=None,
        facts=dict.fromkeys(("onnx", "numpy", "onnxruntime", "onnx-graphsurgeon"), "1.0"),
        deferred={},
    )
    return {planned.name: planned.step for planned in plan.steps}


def test_the_scaling_of_weights_reaches_the_step(tmp_path):
    """`absmax` unless another is asked for."""
    asked = INT8.replace("}}", "}, weights: {kind: mse, steps: 8}}")

    assert "absmax" == steps_of(tmp_path, RECIPE + INT8)["quantize"].weights.kind
    found = steps_of(tmp_path, RECIPE + asked)["quantize"].weights
    assert ("mse", 8) == (found.kind, found.steps)
