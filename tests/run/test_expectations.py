"""How long a step will take, by how long it took before."""

from __future__ import annotations

from tests.helpers.executors import Recording
from tests.helpers.plans import FACTS, plan_with
from trtbuild.core.values import Ranges
from trtbuild.plan.explain import decide
from trtbuild.plan.plan import plan_steps
from trtbuild.run.executor import QuietListener
from trtbuild.run.expectations import estimate_seconds
from trtbuild.run.walk import walk_plan
from trtbuild.steps.locked_ranges import LockedRanges


def expected(plan, store):
    return estimate_seconds(plan, decide(plan, store), store)


def test_what_never_ran_has_no_time(store):
    """Nothing is guessed."""
    assert {} == expected(plan_with(), store)


def test_a_target_takes_as_long_as_its_engine_before(store):
    """A second for each step, says the executor; only of steps that would run again."""
    walk_plan(plan_with(percentile=99.9), store, Recording(), QuietListener())

    found = expected(plan_with(percentile=99.99), store)

    assert {"calibrate": 1.0, "quantize": 1.0, "build_engine(rtx)": 1.0} == found


def test_ranges_of_a_lock_say_nothing_of_a_calibration(store):
    """They go by its name, and are there at once."""
    measured = plan_with(percentile=99.9)
    table = LockedRanges(table=Ranges(tensors={}))
    locked = plan_steps(
        measured.recipe,
        {each.name: table if each.name == "calibrate" else each.step for each in measured.steps},
        facts=FACTS,
        deferred={},
    )
    walk_plan(measured, store, Recording(), QuietListener())

    assert "calibrate" not in expected(locked, store)
    assert 1.0 == expected(plan_with(percentile=99.99), store)["calibrate"]


def test_a_build_that_is_done_is_expected_to_take_nothing(store):
    """And what the store knows of it is not even read."""
    walk_plan(plan_with(), store, Recording(), QuietListener())

    assert {} == expected(plan_with(), store)
