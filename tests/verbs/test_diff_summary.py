"""A recipe in a few lines."""

from __future__ import annotations

from tests.helpers.projects import tiny_project
from trtbuild.plan.lock import Lock
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.diff_summary import summarize_recipe

LOCK = Lock(
    models={}, recipe={}, sources={}, tools={}, targets={}, measures={"y.top1": 0.9},
    references={"y.top1": 0.91}, compared={"reference": "INT8 Q/DQ"},
)  # fmt: skip


def test_figures_stand_beside_a_reference_that_is_called_what_it_is(tmp_path):
    """Not FP32 where it is none; and bounds are in the words of gates."""
    recipe = tiny_project(tmp_path)
    with recipe.open("a") as file:
        file.write(
            "data: {e: {kind: arrays, path: e.npz, labels: l}}\n"
            "compare: {data: e, gates: [{metric: top1, drop_at_most: 0.5%}]}\n"
        )

    told = summarize_recipe(load_recipe(recipe), LOCK)

    assert "top1 of y: 90.00 % (INT8 Q/DQ 91.00 %)" in told
    assert "compared on data `e`: top1 drop ≤ 0.5 points" in told
