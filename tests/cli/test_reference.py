"""What a model is compared with, as a user sees it: called what it is, and no judge of itself."""

from __future__ import annotations

import json
import re

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.projects import tiny_project

pytestmark = pytest.mark.usefixtures("steps_here")

COMPARED = """\
version: 1
name: tiny
model: {kind: onnx, path: model.onnx}
data: {eval: {kind: arrays, path: eval.npz}}
targets: {ort: {kind: onnxruntime}}
compare: {data: eval, metrics: [sqnr_db], gates: [{metric: sqnr_db, at_least: 30}]}
"""
INT8 = COMPARED + "quantization: {}\n"
FLOAT = "  , reference: {kind: onnx, path: float.onnx}}\n"
W = np.arange(-6, 6, dtype=np.float32).reshape(4, 3)
QUANTIZED = """
g (float[N, 4] x) => (float[N, 3] y) <float s = {SCALE}, float t = {0.05}, int8 z = {0}> {
  q = QuantizeLinear(x, s, z)
  d = DequantizeLinear(q, s, z)
  p = QuantizeLinear(w, t, z)
  e = DequantizeLinear(p, t, z)
  [fc] y = MatMul(d, e)
}
"""


@pytest.fixture
def applied(tmp_path, monkeypatch, trtbuild):
    """Apply a recipe to a model, a float model beside it, and return answer and pages."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))

    def apply(recipe, model, reference="g (float[N, 4] x) => (float[N, 3] y) { y = MatMul(x, w) }"):
        path = tiny_project(tmp_path, recipe)
        for name, text in (("model", model), ("float", reference)):
            weights = {"w": W.astype(np.float16) if "float16" in text else W}
            onnx.save(model_of(text, weights), tmp_path / f"{name}.onnx")
        values = np.random.default_rng(0).uniform(-1, 1, (8, 4)).astype(np.float32)
        np.savez(tmp_path / "eval.npz", x=values)
        answer = trtbuild("apply", path, "--build-dir", tmp_path / "build")
        placed, refused = tmp_path / "build/tiny", tmp_path / "build/tiny/failed"
        folder = refused if refused.is_dir() else placed
        pages = {p.name: p.read_text() for p in folder.glob("*") if p.suffix in (".md", ".html")}
        compared = folder / "comparison.json"
        return answer, pages, json.loads(compared.read_text()) if compared.exists() else {}

    return apply


def test_a_quantized_model_is_no_judge_of_itself(applied):
    """Its scales are ruined, and it equals itself: named, not judged on any page, exit code 1."""
    answer, pages, compared = applied(INT8, QUANTIZED.replace("SCALE", "0.5"))

    assert 1 == answer.code
    assert "against source as it came: INT8 Q/DQ, 8 samples" in answer.out
    assert "gate NOT JUDGED: sqnr_db ≥ 30: `y` there is no float model" in answer.out
    assert "gate not judged: sqnr_db ≥ 30" in answer.err
    assert [(False, False)] == [(e["judged"], e["passed"]) for e in compared["verdicts"]]
    for page in pages.values():
        assert "FP32" not in re.sub(r"model\.fp32|versions.*", "", page)
        assert "A gate was not judged" in page
        assert "not judged" in page.split("Comparison with INT8 Q/DQ")[1]


def test_a_float_reference_judges_it(applied):
    """By the true figure, which ruined scales do not pass, and sound ones do."""
    recipe = INT8.replace("}\nquant", FLOAT + "quant").replace("]}]  ,", "]}],")
    recipe = recipe.replace("at_least: 30}]\n", "at_least: 30}]")
    ruined, _, _ = applied(recipe, QUANTIZED.replace("SCALE", "0.5"))
    sound, _, compared = applied(recipe, QUANTIZED.replace("SCALE", "0.008"))

    assert (1, 0) == (ruined.code, sound.code)
    assert "against reference float.onnx (FP32)" in sound.out
    assert 30 < compared["measures"][0]["value"] < 60


def test_a_reference_that_does_not_fit_is_one_error(applied):
    """All that is otherwise, at the line of `reference`, and nothing is compared."""
    recipe = INT8.replace("}\nquant", FLOAT + "quant")
    other = "g (float[N, 5] x) => (float[N, 5] z) { z = Relu(x) }"
    answer, pages, _ = applied(recipe, QUANTIZED.replace("SCALE", "0.008"), other)

    assert (2, {}) == (answer.code, pages)
    assert 1 == answer.err.count("error:")
    assert (
        "the reference does not fit the model: its input `x` is [N, 5], the model's [N, 4]; "
        "it has no output `y`, but `z`"
    ) in answer.err


PLAIN = "g (float[N, 4] x) => (float[N, 3] y) { y = MatMul(x, w) }"
HALF = PLAIN.replace("float", "float16")


RANGE = "quantization: {ranges: {x: 1}}\n"
BF16 = "precision: bf16\nprofiles: [{x: {min: [1, 4], opt: [1, 4], max: [8, 4]}}]\n"


@pytest.mark.parametrize(
    ("expected", "more", "model", "span"),
    [
        ("model after fixes against source before fixes (FP32)", "", PLAIN, None),
        ("FP16 model against FP32 model", "precision: fp16\n", PLAIN, (60, 90)),
        ("BF16 model against FP32 model", BF16, PLAIN, (40, 60)),
        ("model after fixes against source before fixes (FP16)", "", HALF, None),
        ("INT8 model (Q/DQ) against FP16 source", RANGE, HALF, (30, 60)),
    ],
)
def test_what_is_not_int8_is_compared_and_judged(applied, expected, more, model, span):
    """Half precision with what it is made of, a model with fixes alone with the source."""
    target = "tensorrt11" if more == BF16 else "onnxruntime"  # which has no BF16
    answer, _, compared = applied(COMPARED.replace("onnxruntime", target) + more, model)
    value = compared["measures"][0]["value"]

    assert 0 == answer.code
    assert expected in answer.out
    assert (value is None) if span is None else span[0] < value < span[1]
