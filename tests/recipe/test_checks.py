"""Rules across sections, each with what it must let pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.recipes import GOOD
from trtbuild.backends.onnxruntime import Onnxruntime
from trtbuild.core.errors import RecipeError
from trtbuild.recipe.checks import find_problems_across
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text

SPARE = """\
version: 1
name: spare
model: {kind: torch, entrypoint: "m.py:m", weights: {path: w.pth}, inputs: {x: {shape: [1]}}}
data:
  a: {kind: arrays, path: a.npz, labels: y}
  b: {kind: arrays, path: b.npz}
  c: {kind: python, entrypoint: "d.py:d", options: {split: calib}}
  d: {kind: python, entrypoint: "d.py:d", options: {split: eval}}
  e: {kind: python, entrypoint: "d.py:d", options: {split: calib}, count: 4}
quantization: {data: b, calibrator: {kind: minmax}}
targets: {rtx: {kind: tensorrt_rtx}}
compare: {data: a}
"""


def paths_of(text):
    """Return the places of a recipe's problems."""
    try:
        check_source(Path("spare.yaml"), parse_recipe_text("spare.yaml", text.encode()))
    except RecipeError as error:
        return [problem.path for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("expected", "old", "new"),
    [
        ([], "", ""),
        ([("quantization", "data")], "data: b", "data: bb"),
        ([("compare", "data")], "data: a", "data: aa"),
        ([("compare", "data")], "data: a", "data: b"),
        ([("compare", "data")], "path: a.npz", "path: x/../b.npz"),
        ([("compare", "data")], "{data: b, cal", "{data: a, cal"),
        ([], "{data: b, cal", "{data: c, cal"),
        ([("compare", "metrics", 0)], "{data: a}", "{data: d, metrics: [top1]}"),
        ([], "{data: a}", "{data: a, metrics: [top1, top5]}"),
        (
            [("compare", "gates", 0, "metric")],
            "{data: a}",
            "{data: d, gates: [{metric: top5, at_least: 0.5}]}",
        ),
        ([("quantization", "ranges", "t")], "minmax}", "minmax}, ranges: {t: [1, -1]}"),
        ([("quantization", "ranges", "t")], "minmax}", "minmax}, ranges: {t: 0}"),
        ([("quantization", "ranges", "t")], "minmax}", "minmax}, ranges: {t: -1}"),
        ([("quantization", "ranges", "t")], "minmax}", "minmax}, ranges: {t: [0, 0.0]}"),
        ([], "minmax}", "minmax}, ranges: {t: [0, 1], u: [-3, -1], v: 1.0e-30, w: [1, 1]}"),
        ([("model", "without_weights")], "inputs", "without_weights: seeded, inputs"),
        ([], "inputs", "without_weights: fail, inputs"),
        ([("targets", "Report.MD")], "rtx: {kind", "Report.MD: {kind"),
        ([("targets", "r.")], "rtx: {kind", "r.: {kind"),
        ([("targets", "rtx")], "rtx: {kind", "RTX: {kind: onnxruntime}, rtx: {kind"),
        (
            [("targets", "rtx", "compute_capabilities", 1)],
            "tensorrt_rtx}",
            "tensorrt_rtx, compute_capabilities: [8.9, 7.5]}",
        ),
    ],
)
def test_a_contradiction_is_told_at_its_line(expected, old, new):
    """And what only looks like one passes."""
    assert expected == paths_of(SPARE.replace(old, new, 1))


@pytest.mark.parametrize(
    ("expected", "profiles"),
    [
        ([], "{x: {min: [1], opt: [1], max: [1]}}"),
        ([("profiles", 0, "x", "min", 0)], "{x: {min: [2], opt: [1], max: [2]}}"),
        ([("profiles", 0, "x", "opt", 1)], "{x: {min: [1, 1], opt: [1, 3], max: [1, 2]}}"),
        ([("profiles", 0, "x")], "{x: {min: [1], opt: [1, 1], max: [1]}}"),
        ([("profiles", 1)], "{x: {min: [1], opt: [1], max: [1]}}, {}"),
        ([("profiles", 0)], "{}"),
        (
            [("profiles", 0), ("profiles", 1)],
            "{x: {min: [1], opt: [1], max: [1]}}, {y: {min: [1], opt: [1], max: [1]}}",
        ),
    ],
)
def test_profiles_are_in_order_and_agree(expected, profiles):
    """min ≤ opt ≤ max on every axis; the same inputs in every profile."""
    assert expected == paths_of(SPARE + f"profiles: [{profiles}]\n")


def test_the_same_samples_counted_differently_are_the_same():
    """Taking fewer of them, or preparing them otherwise, does not make them new."""
    text = SPARE.replace("{data: b, cal", "{data: c, cal")

    assert [("compare", "data")] == paths_of(text.replace("{data: a}", "{data: e}"))
    assert [] == paths_of(text.replace("{data: a}", "{data: d}"))


def test_a_backend_that_lacks_the_mode_is_told(monkeypatch):
    """Whatever modes and backends there are, their table decides."""
    found = check_source(Path("good.yaml"), parse_recipe_text("good.yaml", GOOD.encode()))
    monkeypatch.setattr(
        Onnxruntime, "capabilities", replace(Onnxruntime.capabilities, modes=("implicit",))
    )

    (problem,) = find_problems_across(found.recipe, found.source)

    assert "onnxruntime (target `reference`) cannot build with `mode: explicit`" == problem.message
    assert (24, 3) == (problem.mark.line, problem.mark.column)


def test_a_rule_that_misses_what_it_reads_says_nothing_more():
    """Of a recipe that is wrong somewhere; of a whole one that would be a bug."""
    found = check_source(Path("good.yaml"), parse_recipe_text("good.yaml", GOOD.encode()))
    recipe = found.recipe.model_copy()
    del vars(recipe)["targets"]

    assert [] == find_problems_across(recipe, found.source, partial=True)
    with pytest.raises(AttributeError, match="targets"):
        find_problems_across(recipe, found.source)
