"""What is said of ranges that do not fit a model."""

from __future__ import annotations

import pytest

from tests.helpers.projects import MODEL, edit, small_project
from trtbuild.core.errors import MissingFile
from trtbuild.plan.ranges import collect_given_ranges, find_range_problems
from trtbuild.recipe.load import load_recipe
from trtbuild.recipe.problems import render_problems, sort_problems

TENSORS = ("input", "a", "b", "c", "d", "e", "f", "g", "logits")
CALIBRATION = "  data: calib\n  calibrator: {kind: minmax}\n"
CACHE = "  calibrator: {kind: cache, path: old.cache}\n"
HEADER = "TRT-8601-EntropyCalibration2\n"

CASES = {
    "overlapping": ("  ranges:\n    '[ab]': 1\n    '*': 9\n    '[bc]': 2\n    '?': 3\n", {}),
    "idle": ("  ranges: {inptu: 1, 'layer4*': 1}\n", {}),
    "overlapping_calibrators": (
        CALIBRATION + "  calibrators: {'[ib]*': {kind: mse}, '[bg]': {kind: auto}}\n",
        {},
    ),
    "idle_calibrators": (CALIBRATION + "  calibrators: {a: {kind: mse}}\n", {}),
    "nothing": ("  mode: explicit\n", {}),
    "missing_by_hand": ("  ranges: {input: [-2.1, 2.6], e: 4}\n", {}),
    "missing_in_cache": (CACHE, {"old.cache": HEADER + "input: 3c010204\nb: 0\nz: 3c010204\n"}),
    "cache_cut_off": (CACHE, {"old.cache": HEADER}),
    "another_cache": (CACHE, {"old.cache": HEADER + "inputs: 3c010204\nConv_0: 3c010204\n"}),
    "decimal_cache": (CACHE, {"old.cache": HEADER + "input:2.64\n"}),
    "inverse_cache": (CACHE, {"old.cache": HEADER + "input: 42406d3a\n"}),
    "no_cache": (CACHE, {}),
    "file_of_other_names": (
        "  ranges_file: limits.txt\n",
        {"limits.txt": "input: 2.64\nimput: 2.64\nConv_0: 1\n"},
    ),
    "file_without_numbers": ("  ranges_file: limits.txt\n", {"limits.txt": "input: wide\n"}),
}


def recipe_with(folder, section, files):
    recipe = edit(small_project(folder), CALIBRATION, section)
    for name, text in files.items():
        (folder / name).write_text(text)
    return recipe


@pytest.mark.parametrize("case", CASES)
def test_ranges_that_do_not_fit_earn_these_words(case, tmp_path, golden, monkeypatch):
    """At the line of the recipe, with the next move."""
    recipe_with(tmp_path, *CASES[case])
    monkeypatch.chdir(tmp_path)
    loaded = load_recipe((tmp_path / "recipe.yaml").relative_to(tmp_path))

    found = sort_problems(find_range_problems(loaded, TENSORS, tmp_path / "model.onnx"))

    golden(f"ranges/{case}.txt", render_problems(found) + "\n")


@pytest.mark.parametrize(
    "section",
    [
        CALIBRATION,
        CALIBRATION + "  calibrators: {'*': {kind: mse}, '[ab]': {kind: auto}}\n",
        "  ranges: {'*': 4}\n",
        "  ranges: {input: 1}\n  allow_missing: true\n",
        "  ranges: {input: 1, e: 1}\n  skip: ['op:Gemm', 'op:Conv']\n",
        CACHE + "  ranges: {'[beg]': 1, input: 3}\n",
    ],
)
def test_ranges_that_fit_earn_none(section, tmp_path):
    """Calibrated, by hand, missing by permission, or filled up by hand."""
    recipe = recipe_with(tmp_path, section, {"old.cache": HEADER + "input: 3c010204\nb: 0\n"})

    assert [] == list(find_range_problems(load_recipe(recipe), TENSORS, tmp_path / "model.onnx"))


def test_nothing_is_said_of_gaps_before_there_is_a_model(tmp_path):
    """Or where it was quantized, with these ranges, before."""
    recipe = recipe_with(tmp_path, "  ranges: {input: 1}\n", {})

    assert [] == list(find_range_problems(load_recipe(recipe), TENSORS, None))


def test_given_ranges_are_laid_over_each_other(tmp_path):
    """By hand over the cache's; the names of other models are left out."""
    section = CACHE + "  ranges: {b: [-1, 2]}\n"
    recipe = recipe_with(
        tmp_path, section, {"old.cache": HEADER + "b: 3c010204\ng: 3c010204\nz: 3c010204\n"}
    )
    loaded = load_recipe(recipe)

    found = collect_given_ranges(loaded, loaded.recipe.quantization, TENSORS).tensors

    assert {"b": "manual", "g": "imported"} == {name: each.origin for name, each in found.items()}


def test_a_file_that_is_gone_is_named(tmp_path):
    """By the name that the recipe has."""
    loaded = load_recipe(recipe_with(tmp_path, CACHE, {}))

    with pytest.raises(MissingFile, match=r"old\.cache: no such file"):
        collect_given_ranges(loaded, loaded.recipe.quantization, TENSORS)


def test_the_names_here_are_the_models():
    """Should the project change, this file must follow."""
    assert all(f"  {name} = " in MODEL or name == "input" for name in TENSORS)
