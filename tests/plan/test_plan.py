"""Ingredients: all that may change what a step makes, and nothing else."""

from __future__ import annotations

from tests.helpers.plans import plan_with


def planned(plan, name):
    return next(step for step in plan.steps if step.name == name)


def test_a_path_is_no_ingredient():
    """Only the digest of what lies there is."""
    step = planned(plan_with(base="/somewhere"), "import_model")

    assert "/somewhere" not in str(step.ingredients)
    assert {"files.0": "sha256:aa"} == step.ingredients["inputs"]
    assert "base" not in step.ingredients["params"]


def test_options_are_ingredients_with_their_defaults():
    """So a changed default is a visible change."""
    step = planned(plan_with(percentile=99.9), "calibrate")

    assert 99.9 == step.ingredients["params"]["calibrator"]["percentile"]
    assert "percentile" == step.ingredients["params"]["calibrator"]["kind"]


def test_digests_chain_over_the_steps_before():
    """A change of the model changes every digest that stands on it."""
    one, two = plan_with(model="sha256:aa"), plan_with(model="sha256:bb")
    same = [a.name for a, b in zip(one.steps, two.steps, strict=True) if a.digest == b.digest]

    assert ["capture_data(calib)"] == same


def test_upto_keeps_what_the_named_steps_need():
    """And nothing else."""
    names = [step.name for step in plan_with().cut_after(("fix_graph",)).steps]

    assert ["import_model", "fix_graph"] == names


def test_a_plan_survives_the_json_round_trip():
    """It can be saved, read and sent."""
    plan = plan_with()

    assert plan == type(plan).model_validate_json(plan.model_dump_json())
