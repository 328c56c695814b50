"""Ingredients: all that may change what a step makes, and nothing else."""

from __future__ import annotations

from tests.helpers.plans import plan_with
from trtbuild.core.needs import INFERENCE_DEVICE
from trtbuild.data.arrays import Arrays
from trtbuild.plan.plan import collect_ingredients, count_waiting, list_params
from trtbuild.steps.base import Ref
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.infer import Infer
from trtbuild.steps.quantize import Quantize

DATA = DataInput(
    source=Arrays(kind="arrays", path="x.npz"),
    files=(),
    manifest=Ref(step="d", output="manifest"),
    stored=Ref(step="s", output="samples"),
)


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


def test_a_device_is_an_ingredient_only_where_there_is_one():
    """What was computed on a CPU stays what it was."""
    step = Infer(model=Ref(step="m", output="model"), data=DATA)
    given = {"onnxruntime": "1.31.1"}
    here, there = (
        collect_ingredients(step, dict.fromkeys("mds", "sha256:aa"), facts)["facts"]
        for facts in (given, {**given, INFERENCE_DEVICE: "NVIDIA L4 (8.9), CUDA"})
    )

    assert given == here
    assert "NVIDIA L4 (8.9), CUDA" == there[INFERENCE_DEVICE]


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


def test_an_option_that_came_later_is_an_ingredient_where_it_is_used():
    """At its default it is none: what was built and locked before it came holds on."""
    plain = Quantize(model=Ref(step="m", output="model"))
    other = plain.model_copy(update={"type": "fp8"})

    assert "type" not in list_params(plain)
    assert "fp8" == list_params(other)["type"]


def test_what_waits_for_a_step_is_the_longest_row_of_others():
    """However many stand beside each other; nobody waits for what is built in the end."""
    steps = plan_with().steps
    found = count_waiting(steps)

    for planned in steps:
        after = [found[each.name] for each in steps if planned.name in each.after]
        assert found[planned.name] == max(after, default=-1) + 1
    assert found["import_model"] == max(found.values()) > 1
