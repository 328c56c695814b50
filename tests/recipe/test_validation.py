"""What is wrong with a section is told once, in words, at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.recipes import GOOD
from trtbuild.core.errors import RecipeError
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text


def problems_of(old, new):
    """Return the problems of the good recipe with one passage changed."""
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    with pytest.raises(RecipeError) as caught:
        check_source(Path("tiny.yaml"), parse_recipe_text("tiny.yaml", text.encode()))
    return caught.value.problems


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (("quantization", "calibrator", "percentile"), "percentile: 99.99", "percentile: 200"),
        (("quantization", "calibrator", "percentil"), "percentile: 99.99", "percentil: 9"),
        (("quantization", "calibrator", "kind"), "kind: percentile", "kind: [percentile]"),
        (("quantization", "calibrator"), "kind: percentile", "percentile: 9\n    bins: 2"),
        (("fixes", 1, "axis"), "axis: 0", "axis: zero"),
        (("fixes", 1, "axis"), "axis: 0, ", ""),
        (("data", "calib", "preprocess", "crop", 1), "crop: [32, 32]", "crop: [32, x]"),
        (("data", "calib", "preprocess", "crop"), "crop: [32, 32]", "crop: [32]"),
        (("quantization", "ranges", "input", 0), "[-2.2, 2.7]", "[low, 2.7]"),
        (("quantization", "ranges", "input"), "[-2.2, 2.7]", "[1, 2, 3]"),
        (("quantization", "ranges", "495"), "1e1", "ten"),
        (("targets", "my rtx"), "  rtx:", "  my rtx:"),
        (("quantization", "ranges", ""), '"495"', '""'),
        (("compare", "metrics", 0), "cosine", "cosin"),
        (("quantization", "mode"), "mode: explicit", "mode: implict"),
        (("compare", "gates", 0), ", at_least: 20", ""),
    ],
)
def test_one_slip_is_one_problem(path, old, new):
    """At the place of the slip, and with no word of pydantic's."""
    problems = problems_of(old, new)

    assert [path] == [problem.path for problem in problems if problem.path == path]
    for problem in problems:
        assert "Input" not in problem.message
        assert "constrained" not in problem.message


def test_a_union_makes_one_problem():
    """A value that no type of a union takes is told once, with all of them."""
    (problem,) = problems_of("1e1", "{low: 1}")

    expected = "`495` must be a limit (6.0 means -6 to 6) or [low, high], not a mapping"
    assert expected == problem.message


def test_a_misspelt_option_is_not_missing_too():
    """The slip is told, and not what follows from it."""
    (problem,) = problems_of("  data: eval\n", "  dat: eval\n")

    assert "did you mean `data`?" == problem.hint


def test_a_misspelt_section_is_not_missed_elsewhere():
    """`dta:` is one problem, not also data sets that are not there."""
    (problem,) = problems_of("\ndata:\n", "\ndta:\n")

    assert "did you mean `data`?" == problem.hint


def test_a_target_without_a_name_is_one_problem():
    """Its options are not taken for names of other targets."""
    (problem,) = problems_of(
        "  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.6, 8.9, 12.0], workspace: 4GiB}\n"
        "  reference: {kind: onnxruntime}\n",
        "  kind: tensorrt_rtx\n  workspace: 4GiB\n",
    )

    assert "`kind` stands where a name should" == problem.message


def test_a_target_may_be_called_as_its_kind():
    """The kind in a loc is told apart from a key of the same name."""
    problems = problems_of(
        "  rtx: {kind: tensorrt_rtx, ", "  tensorrt_rtx: {kind: tensorrt_rtx, x: 1, "
    )

    assert [("targets", "tensorrt_rtx", "x")] == [problem.path for problem in problems]


def test_sections_that_are_sound_are_checked_all_the_same():
    """A slip in one section does not hide a contradiction between others."""
    problems = problems_of("name: tiny-int8", "name: tiny int8\nzzz: 1")
    assert [("name",), ("zzz",)] == [problem.path for problem in problems]

    text = GOOD.replace("name: tiny-int8", "name: tiny int8").replace("data: eval", "data: evil")
    with pytest.raises(RecipeError) as caught:
        check_source(Path("tiny.yaml"), parse_recipe_text("tiny.yaml", text.encode()))

    assert [("name",), ("compare", "data")] == [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("message", "hint", "old", "new"),
    [
        ("a bound", "write a number", "at_least: 20", "at_least: many"),
        ("is not a size", "write a number and a unit", "4GiB", "4 GB per GPU"),
    ],
)
def test_a_validator_speaks_for_itself(message, hint, old, new):
    """What it says to write is the hint."""
    (problem,) = problems_of(old, new)

    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("hint", "old", "new"),
    [
        ("it is in percent: write 99.99", "percentile: 99.99", "percentile: 0.9999"),
        ("an open size has a name: `batch`", "shape: [batch", "shape: [-1"),
        ("write sizes: min, opt and max say how far", "min: [1, 3", "min: [-1, 3"),
        ("did you mean `top1`?", "[cosine", "[accuracy"),
        ("did you mean `fp16`?", "mode: explicit", "high_precision: float16"),
        ("write `name: int8` below it, a line each", "mode: explicit", "precision: int8"),
        ("`high_precision: fp16` has all", "mode: explicit", "precision: {a: fp16}"),
        ("", "percentile: 99.99", "percentile: 0.001"),
    ],
)
def test_what_was_meant_is_told(hint, old, new):
    """Shares for percent, -1 for an open size, what others call it; or nothing."""
    problem, *_ = problems_of(old, new)

    assert problem.hint.startswith(hint)
    assert bool(hint) == bool(problem.hint)
