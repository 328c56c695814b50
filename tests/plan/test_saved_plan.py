"""A plan is held to what was looked at."""

from __future__ import annotations

import json

import pytest

from tests.helpers.plans import plan_with
from trtbuild.core.errors import PlanStale, UsageError
from trtbuild.plan.explain import Decision, decide
from trtbuild.plan.saved_plan import demand_fresh, read_saved_plan, save_plan


def decisions(plan, verdict="run"):
    return tuple(Decision(step=s.name, digest=s.digest, verdict=verdict) for s in plan.steps)


@pytest.fixture
def saved(tmp_path):
    """A plan that was saved, as it is read again: all of it was to be reused."""
    plan = plan_with()
    file = tmp_path / "plans" / "face.json"
    save_plan(
        file,
        recipe=tmp_path / "recipes/face.yaml",
        targets=["rtx"],
        plan=plan,
        decisions=decisions(plan, "reuse"),
    )
    return file


def test_a_saved_plan_knows_its_recipe_and_targets(saved, tmp_path):
    """From where it lies: both may move together."""
    found, recipe = read_saved_plan(saved)

    assert ("../recipes/face.yaml", ("rtx",)) == (found.recipe, found.targets)
    assert tmp_path / "recipes/face.yaml" == recipe
    assert [step.name for step in plan_with().steps] == [step.name for step in found.steps]


def test_the_same_plan_is_fresh(saved):
    """Nothing is said."""
    demand_fresh(read_saved_plan(saved)[0], plan_with(), decisions(plan_with(), "reuse"))


def test_a_change_is_told_once_and_where_it_lies(saved):
    """An option of one step; not each step that follows from it."""
    now = plan_with(percentile=99.99)

    with pytest.raises(PlanStale) as caught:
        demand_fresh(read_saved_plan(saved)[0], now, decisions(now))
    told = str(caught.value).splitlines()
    assert ["  calibrate: params.calibrator.percentile: 99.9 → 99.99"] == [
        line for line in told if "percentile" in line
    ]


def test_what_has_left_the_store_is_told(saved, store):
    """What was to be reused would run."""
    with pytest.raises(PlanStale, match="import_model: was to be reused, and has left the store"):
        demand_fresh(read_saved_plan(saved)[0], plan_with(), decide(plan_with(), store))


@pytest.mark.parametrize(
    ("then", "now", "says"),
    [
        ("deferred", "run", "was to be deferred, and can be built here"),
        ("run", "deferred", "was to be built, and cannot be here"),
    ],
)
def test_neither_more_nor_less_is_done_than_was_looked_at(saved, then, now, says):
    """What was to be deferred is not built because another machine can."""
    found, _ = read_saved_plan(saved)
    steps = tuple(step.model_copy(update={"verdict": then}) for step in found.steps)

    with pytest.raises(PlanStale, match=f"import_model: {says}"):
        demand_fresh(
            found.model_copy(update={"steps": steps}), plan_with(), decisions(plan_with(), now)
        )


def test_a_plan_that_names_a_step_twice_is_none(saved):
    """One of the two would not be held to."""
    tree = json.loads(saved.read_text())
    saved.write_text(json.dumps({**tree, "steps": tree["steps"] * 2}))

    with pytest.raises(UsageError, match="is no saved plan"):
        read_saved_plan(saved)


def test_steps_that_came_and_went_are_told(saved):
    """By their names."""
    found, _ = read_saved_plan(saved)
    now = plan_with().cut_after(("quantize",))
    fewer = found.model_copy(update={"steps": found.steps[1:]})

    with pytest.raises(PlanStale, match=r"build_engine\(rtx\): is no step any more"):
        demand_fresh(found, now, decisions(now, "reuse"))
    with pytest.raises(PlanStale, match="import_model: is a new step"):
        demand_fresh(fewer, plan_with(), decisions(plan_with(), "reuse"))


def test_what_is_no_saved_plan_says_how_to_save_one(tmp_path):
    """It names the file and the command."""
    (tmp_path / "x.json").write_text("{}")

    with pytest.raises(UsageError, match="is no saved plan") as caught:
        read_saved_plan(tmp_path / "x.json")
    assert f"trtbuild plan RECIPE --out {tmp_path / 'x.json'}" in caught.value.hint


def test_a_recipe_behind_links_is_the_one_that_was_planned(tmp_path):
    """`..` behind a link leads above its end, there and from the plan's folder too."""
    (tmp_path / "far/recipes").mkdir(parents=True)
    (tmp_path / "far/plans").mkdir()
    (tmp_path / "far/face.yaml").write_text("this one")
    (tmp_path / "face.yaml").write_text("not this one")
    (tmp_path / "recipes").symlink_to("far/recipes")
    (tmp_path / "plans").symlink_to("far/plans")
    file, plan = tmp_path / "plans/face.json", plan_with()
    recipe = tmp_path / "recipes/../face.yaml"
    save_plan(file, recipe=recipe, targets=[], plan=plan, decisions=decisions(plan))

    assert "this one" == read_saved_plan(file)[1].read_text()


def test_a_plan_that_was_edited_is_none(saved):
    """What it says of a step is not what the step's digest is of; nor is it read if it is huge."""
    text = saved.read_text()
    for other in (text.replace("99.9", "99.8"), text.replace("99.9", "NaN"),
                  text.replace("99.9", "[" + "[]," * 600_000 + "1]")):  # fmt: skip
        saved.write_text(other)
        with pytest.raises(UsageError, match="is no saved plan"):
            read_saved_plan(saved)
