"""What is computed in where it is not INT8."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild.core.errors import RecipeError
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text

RECIPE = """\
version: 1
name: tiny
model: {kind: onnx, path: tiny.onnx}
data: {calib: {kind: arrays, path: calib.npz}, eval: {kind: arrays, path: eval.npz}}
targets:
  reference: {kind: onnxruntime}
"""
COMPARE = "compare: {data: eval}\n"


def read(text):
    return check_source(
        Path("tiny.yaml"), parse_recipe_text("tiny.yaml", (RECIPE + text).encode())
    ).recipe


def told(text):
    with pytest.raises(RecipeError) as caught:
        read(text)
    return [(problem.path, problem.message, problem.hint) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "text",
    [
        "precision: fp16\n" + COMPARE,
        "precision: {type: fp16, data: calib, fp32: ['*/head/*']}\n" + COMPARE,
        "precision: fp32\n",
        "precision: bf16\n",
        "quantization: {ranges: {x: 1.0}, data: calib, high_precision: fp16}\n" + COMPARE,
    ],
)
def test_these_are_sound(text):
    """A word or a mapping; a comparison holds fp16 against FP32; data may serve fp16 alone."""
    read(text)


def test_precision_is_said_in_one_place():
    """The hint has the line to write."""
    ((path, message, hint),) = told("precision: fp16\nquantization: {ranges: {x: 1.0}}\n")

    assert ("precision",) == path
    assert "for models without INT8" in message
    assert "write `high_precision: fp16` below `quantization` instead" == hint


@pytest.mark.parametrize("text", ["", "precision: bf16\n", "precision: fp16\n"])
def test_what_is_not_int8_is_compared_too(text):
    """Converted, with the model that it is made of; plain, with the source before the fixes."""
    assert read(text + COMPARE).compare is not None


def test_its_data_must_exist():
    """With the nearest name."""
    ((path, _, hint),) = told("precision: {type: fp16, data: calibr}\n")

    assert (("precision", "data"), "did you mean `calib`?") == (path, hint)


def test_implicit_models_have_no_types_written():
    """TensorRT 10 chooses them itself."""
    problems = told("quantization: {mode: implicit, ranges: {x: 1.0}, high_precision: fp16}\n")

    assert "types are not written into the model" in str(problems)


def test_a_slip_is_told_in_words():
    """`half` is no type, with or without options."""
    ((path, message, _),) = told("precision: half\n")
    assert ("precision",) == path
    assert "fp16" in message

    ((path, message, _),) = told("precision: {type: half}\n")
    assert ("precision", "type") == path
    assert "fp16" in message


@pytest.mark.parametrize(
    ("text", "section", "option"),
    [
        ("precision: {type: fp32, keep_io_types: false}\n", "precision", "type"),
        (
            "quantization: {ranges: {x: 1.0}, keep_io_types: false}\n",
            "quantization",
            "high_precision",
        ),
    ],
)
def test_ends_cannot_be_halved_without_a_half_type(text, section, option):
    """The option beside it says which type is meant."""
    ((path, message, hint),) = told(text)

    assert (section, "keep_io_types") == path
    assert f"get the type of `{option}`, which is fp32" in message
    assert f"write `{option}: fp16`" in hint
    read(
        text.replace("fp32", "fp16").replace(
            "x: 1.0}", "x: 1.0}, data: calib, high_precision: fp16"
        )
    )
