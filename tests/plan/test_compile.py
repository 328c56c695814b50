"""Which steps a recipe becomes, and which options reach them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.helpers.models import model_of
from trtbuild.plan.compile import CompileContext, compile_recipe
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.steps.base import Pinned

RECIPE = """\
version: 1
name: tiny
model: {kind: onnx, path: tiny.onnx}
targets:
  reference: {kind: onnxruntime}
"""
INT8 = "quantization: {ranges: {x: 1.0}}\n"


def steps_of(tmp_path, text, **more):
    """Return the steps by name; nothing is read but the text."""
    model = model_of("g (float[1] x) => (float[1] y) { y = Relu(x) }")
    (tmp_path / "tiny.onnx").write_bytes(model.SerializeToString())
    for name in ("calib", "eval"):
        np.savez(tmp_path / f"{name}.npz", x=np.zeros((2, 1), np.float32))
    recipe = check_source(Path("tiny.yaml"), parse_recipe_text("tiny.yaml", text.encode())).recipe
    here = CompileContext(
        base=tmp_path,
        pin=lambda path: Pinned(path=str(path), digest="sha256:aa"),
        facts=dict.fromkeys(("onnx", "numpy", "onnxruntime", "onnx-graphsurgeon"), "1.0"),
        **more,
    )
    return {planned.name: planned.step for planned in compile_recipe(recipe, here).steps}


def test_the_scaling_of_weights_reaches_the_step(tmp_path):
    """`absmax` unless another is asked for."""
    asked = INT8.replace("}}", "}, weights: {kind: mse, steps: 8}}")

    assert "absmax" == steps_of(tmp_path, RECIPE + INT8)["quantize"].weights.kind
    found = steps_of(tmp_path, RECIPE + asked)["quantize"].weights
    assert ("mse", 8) == (found.kind, found.steps)


DATA = """\
data: {calib: {kind: arrays, path: calib.npz}, eval: {kind: arrays, path: eval.npz}}
compare: {data: eval}
"""


def test_fp16_beside_int8_is_measured_and_written(tmp_path):
    """One more pass over the calibration data, and the same model to build and compare."""
    text = INT8.replace("}}", "}, data: calib, high_precision: fp16}")
    steps = steps_of(tmp_path, RECIPE + DATA + text)

    assert "measure_peaks" == steps["quantize"].peaks.step
    assert "fp16" == steps["quantize"].high_precision
    assert "quantize" == steps["build_engine(reference)"].model.step


def test_a_model_without_int8_is_converted(tmp_path):
    """What is built and compared is the converted one; its account says what was asked for."""
    precision = "precision: {type: fp16, data: calib, fp32: [a]}\n"
    steps = steps_of(tmp_path, RECIPE + DATA + precision)
    made = steps["convert_precision"]

    assert ("measure_peaks", "fp16", ("a",)) == (made.peaks.step, made.type, made.fp32)
    target = steps["build_engine(reference)"]
    assert ("convert_precision", "convert_precision") == (target.model.step, target.account.step)
    assert "convert_precision" == steps["infer(candidate)"].model.step
    assert "FP16 model" == steps["compare"].candidate_name


def test_a_model_of_two_types_is_called_after_both(tmp_path):
    """The recipe's own first; what stays float is none, and `*` leaves none of the recipe's own."""
    for asked, called in (("{a: fp8, b: fp32}", "INT8 and FP8"), ('{"*": fp8, b: fp32}', "FP8")):
        text = INT8.replace("}}", f"}}, precision: {asked}}}")
        steps = steps_of(tmp_path, RECIPE + DATA + text)

        assert f"{called} model (Q/DQ)" == steps["compare"].candidate_name


def test_fp32_converts_nothing(tmp_path):
    """It is what a model is anyway; and bf16 needs no measuring."""
    steps = steps_of(tmp_path, RECIPE + "precision: fp32\n")
    assert "fix_graph" == steps["build_engine(reference)"].model.step

    steps = steps_of(tmp_path, RECIPE + "precision: bf16\n")
    assert None is steps["convert_precision"].peaks


TORCH = """\
version: 1
name: tiny
model:
  kind: torch
  entrypoint: net.py:net
  inputs: {ids: {dtype: int64, shape: [batch, seq]}}
fixes:
  - {kind: drop_identity}
targets:
  reference: {kind: onnxruntime}
profiles:
  - ids: {min: [1, 4], opt: [4, 20], max: [8, 77]}
"""


def test_the_sizes_of_an_export_are_the_profiles(tmp_path):
    """They are ingredients, but for a batch, which anybody tunes; a fix that sets one counts."""
    (tmp_path / "net.py").write_text("")
    sizes = steps_of(tmp_path, TORCH)["import_model"].sizes
    tuned = TORCH.replace("[4, 20]", "[6, 20]").replace("[8, 77]", "[9, 77]")
    fix = "{kind: set_dimension, tensor: ids, axis: 1, size: 16}"

    assert ({"batch": 2, "seq": 20}, {"seq": (4, 77)}) == (sizes.example, sizes.bounds())
    assert sizes == steps_of(tmp_path, tuned)["import_model"].sizes
    fixed = steps_of(tmp_path, TORCH.replace("{kind: drop_identity}", fix))["import_model"].sizes
    assert 16 == fixed.example["seq"]
