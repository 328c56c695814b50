"""Metrics with options in a recipe: what gates may ask of their figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.recipes import GOOD
from trtbuild.core.errors import RecipeError
from trtbuild.recipe.load import check_source
from trtbuild.recipe.metric_rules import find_metric_of
from trtbuild.recipe.source import parse_recipe_text

METRICS = "metrics: [cosine, sqnr_db, top1_agreement, top1]"
GATE = "{metric: sqnr_db, at_least: 20}"
TOP2 = METRICS.replace("]", ", {kind: classification, top: [2]}]")


def problems_with(metrics=METRICS, gate=GATE):
    return [(problem.path, problem.message) for problem in find_problems(metrics, gate)]


def hints_with(metrics, gate):
    return [problem.hint for problem in find_problems(metrics, gate)]


def find_problems(metrics, gate):
    text = GOOD.replace(METRICS, metrics).replace(GATE, gate)
    try:
        check_source(Path("r.yaml"), parse_recipe_text("r.yaml", text.encode()))
    except RecipeError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    "gate",
    [
        "{metric: top2, drop_at_most: 1%, confidence: 90%}",
        "{metric: balanced_accuracy, at_least: 0.5}",
        "{metric: cosine, drop_from_lock_at_most: 0.1}",
    ],
)
def test_figures_are_judged_by_their_names(gate):
    """As metrics are; against the lock, every figure can drop."""
    assert [] == problems_with(TOP2, gate)


@pytest.mark.parametrize(
    ("gate", "at", "told"),
    [
        ("{metric: top3, at_least: 0.5}", "metric", "`top3` is no metric, and no figure of those"),
        ("{metric: top2, at_least: 50}", "at_least", "top2 is a share from 0 to 1"),
        ("{metric: top2, drop_at_most: 2}", "drop_at_most", "a drop is a share from 0 to 1"),
        ("{metric: top2, at_least: 0.5, output: y}", "output", "top2 is of the whole model"),
        (
            "{metric: cosine, drop_at_most: 0.1}",
            "drop_at_most",
            "cosine has no value for the reference alone to drop from",
        ),
    ],
)
def test_what_a_figure_cannot_do_is_told_at_its_line(gate, at, told):
    """By the figure that the recipe lists."""
    ((path, message),) = problems_with(TOP2, gate)

    assert ("compare", "gates", 0, at) == path
    assert told in message


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("top: [1]", "`top1` is also what a metric without options yields"),
        ("top: [2]}, {kind: classification, top: [2]", "`top2` is also what `metrics[4]` yields"),
        ("top: [2, 2]", "it yields `top2` twice"),
    ],
)
def test_a_name_is_of_one_figure(options, told):
    """Else a gate would not say which it means."""
    found = problems_with(METRICS.replace("]", f", {{kind: classification, {options}}}]"))

    assert told == found[0][1]


def test_a_name_of_its_own_tells_figures_apart():
    """It stands before that of each figure."""
    named = METRICS.replace("]", ", {kind: classification, name: own, top: [1]}]")

    assert [] == problems_with(named, "{metric: own.top1, at_least: 0.5}")


def test_kinds_that_judge_classes_need_labels():
    """As `top1` does."""
    text = GOOD.replace(", labels: label", "").replace(METRICS, TOP2.replace(", top1,", ","))
    text = text.replace("    - {metric: top1, drop_at_most: 1%}\n", "")
    with pytest.raises(RecipeError, match="classification needs labels"):
        check_source(Path("r.yaml"), parse_recipe_text("r.yaml", text.encode()))


def test_what_is_held_against_labels_alone_needs_some():
    """By default a metric makes do with the reference."""
    text = GOOD.replace(", labels: label", "").replace(
        METRICS, "metrics: [{kind: regressionAGAINST}]"
    )
    text = text.replace("    - {metric: top1, drop_at_most: 1%}\n", "")

    assert "regression needs labels" in told_of(text.replace("AGAINST", ", against: labels"))
    assert "needs labels" not in told_of(text.replace("AGAINST", ""))


def test_boxes_are_no_classes():
    """`top1` on data whose labels are boxes."""
    images = "{kind: images, path: p, labels: {kind: yolo, path: l}, preprocess: {}}"
    text = re.sub(r"eval: \{.*\}", f"eval: {images}", GOOD)

    told = "top1 needs a class of each sample, and `kind: yolo` of `labels` has none"
    assert told in told_of(text)


def told_of(text):
    """All that is wrong with a recipe, in one text."""
    try:
        check_source(Path("r.yaml"), parse_recipe_text("r.yaml", text.encode()))
    except RecipeError as error:
        return "\n".join(each.message for each in error.problems)
    return ""


@pytest.mark.parametrize(
    ("figure", "maker"),
    [
        ("top4", "{kind: classification, top: [4]}"),
        ("Top-10", "{kind: classification, top: [10]}"),
        ("mAP50", "{kind: detection, layout: ...}"),
        ("miou", "{kind: segmentation}"),
        ("speed", ""),
    ],
)
def test_a_figure_that_no_metric_yields_leads_to_its_kind(figure, maker):
    """In the place of a metric, and in a gate: the name is what people know, the kind is ours."""
    assert maker == find_metric_of(figure)
    for metrics, gate in (
        (METRICS.replace("cosine", figure), GATE),
        (METRICS, f"{{metric: {figure}, at_least: 0.5}}"),
    ):
        hint = hints_with(metrics, gate)[0]
        assert maker in hint
        assert bool(maker) == ("it yields that figure" in hint)
