"""What is changed in a variant stands in its own lines, and is the recipe that was meant."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.recipe.edit import AddedItem, OptionChange
from trtbuild.recipe.lines import read_lines
from trtbuild.recipe.load import load_recipe

SHARED = """\
version: 1
name: net
model: {kind: onnx, path: net.onnx}
data:
  calib: {kind: random, count: 1, inputs: {x: {shape: [4]}}}
quantization:
  data: calib
  calibrator: {kind: minmax}
  skip: [a]
  precision: {b: fp32}
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9]}
"""
MSE = OptionChange("calibrator", {"kind": "mse"}, remark="better")
FLOAT = OptionChange("skip", items=(AddedItem("c", "alone 9 dB"),))


@pytest.fixture
def lines(tmp_path):
    """The lines of the variant `int8`, as its text is."""

    def run(variants, shared=SHARED):
        (tmp_path / "net.yaml").write_text(shared + variants)
        return read_lines(load_recipe(tmp_path / "net.int8.yaml"), "quantization")

    return run


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "variants: {fp16: {without: [quantization]}, int8: {}}  # both\n",
            """\
variants:  # both
  fp16: {without: [quantization]}
  int8:
    quantization:
      # tune: better
      calibrator: {kind: mse}
      skip:
        - a
        - c  # alone 9 dB
""",
        ),
        (
            "variants:\n  int8:\n    name: mine\n  # the other\n  fp8: {}\n",
            """\
variants:
  int8:
    name: mine
    quantization:
      # tune: better
      calibrator: {kind: mse}
      skip:
        - a
        - c  # alone 9 dB
  # the other
  fp8: {}
""",
        ),
        (
            "variants:\n  int8:\n    quantization: {calibrator: {kind: auto}, skip: [b]}\n",
            """\
variants:
  int8:
    quantization:
      # tune: better
      calibrator: {kind: mse}
      skip:
        - b
        - c  # alone 9 dB
""",
        ),
    ],
)
def test_a_section_is_begun_or_changed_in_the_variant(lines, before, after):
    """What is shared stays; a list that the variant had of it is written whole."""
    mine = lines(before)
    made = mine.edit("quantization", [MSE, FLOAT])

    assert SHARED + after == made
    recipe = mine.load(made).recipe
    assert recipe.quantization is not None
    assert "mse" == recipe.quantization.calibrator.kind
    assert "c" == recipe.quantization.skip[-1]


def test_a_variant_that_says_nothing_of_it_can_be_changed(lines):
    """No change at all, with which a search begins, leaves every byte as it is."""
    for variants in ("variants: {int8: {}}\n", "variants:\n  int8: {}  # plain\n  fp8: {}\n"):
        assert SHARED + variants == lines(variants).edit("quantization", [])


def test_what_is_shared_is_not_taken_away_in_one(lines):
    """Keys are merged: a line less there would be the shared line again."""
    with pytest.raises(UsageError, match=r"`quantization\.precision` is said for all variants"):
        lines("variants: {int8: {}}\n").edit("quantization", [OptionChange("precision", {})])


def test_a_variant_of_another_file_has_no_lines_here(tmp_path, lines):
    """That file is told, and what to write here."""
    lines("variants: {int8: {}}\n")
    (tmp_path / "more.yaml").write_text("extends: net.yaml\nname: more\n")
    with pytest.raises(UsageError, match=r"`int8` stands in the recipe that .*more\.yaml extends"):
        read_lines(load_recipe(tmp_path / "more.int8.yaml"), "quantization")
