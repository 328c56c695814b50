"""Why a step runs."""

from __future__ import annotations

from tests.helpers.executors import Recording
from tests.helpers.plans import plan_with
from trtbuild.plan.explain import decide, find_differences
from trtbuild.run.executor import QuietListener
from trtbuild.run.walk import walk_plan


def reasons(plan, store):
    return {
        each.step: (each.verdict, [reason.text() for reason in each.reasons])
        for each in decide(plan, store)
        if each.verdict != "reuse"
    }


def test_without_a_record_every_step_is_new(store):
    """No record at all reads `new`."""
    assert {("run", ("new",))} == {
        (verdict, tuple(why)) for verdict, why in reasons(plan_with(), store).values()
    }


def test_a_moved_option_is_named_with_both_values(store):
    """What stands on it may run: it depends on what comes out."""
    walk_plan(plan_with(percentile=99.9), store, Recording(), QuietListener())

    assert {
        "calibrate": ("run", ["params.calibrator.percentile: 99.9 → 99.99"]),
        "quantize": ("maybe", ["after calibrate"]),
        "build_engine(rtx)": ("maybe", ["after quantize"]),
    } == reasons(plan_with(percentile=99.99), store)


def test_a_gone_artifact_is_the_reason(store):
    """A recorded artifact that has left the store reads present → gone."""
    outcomes = walk_plan(plan_with(), store, Recording(), QuietListener())
    store.object_path(outcomes[3].artifacts[0].digest).unlink()

    assert {"calibrate": ("run", ["store.ranges: present → gone"])} == reasons(plan_with(), store)


def test_a_record_of_other_outputs_does_not_stand_for_a_step(store):
    """What it left under another name is none of what the step leaves."""
    walk_plan(plan_with(), store, Recording(), QuietListener())
    planned = plan_with().steps[3]
    action = store.action(planned.digest)
    first, *rest = action.artifacts
    renamed = first.model_copy(update={"name": "other"})
    store.record(action.model_copy(update={"artifacts": (renamed, *rest)}), "[]")

    assert {"calibrate": ("run", ["store.ranges: present → gone"])} == reasons(plan_with(), store)
    walk_plan(plan_with(), store, Recording(), QuietListener())
    assert {} == reasons(plan_with(), store)


def test_another_kind_shows_every_option_that_came_or_went(store):
    """Nothing is left out."""
    walk_plan(plan_with(percentile=99.9), store, Recording(), QuietListener())

    verdict, why = reasons(plan_with(percentile=None), store)["calibrate"]
    assert "run" == verdict
    assert [
        "params.calibrator.kind: percentile → minmax",
        "params.calibrator.percentile: 99.9 → nothing",
    ] == why


def test_equal_trees_have_no_differences():
    """And lists differ as wholes."""
    assert [] == list(find_differences({"a": [1, 2]}, {"a": [1, 2]}))
    assert ["a"] == [reason.path for reason in find_differences({"a": [1, 2]}, {"a": [2, 1]})]
