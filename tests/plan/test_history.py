"""What is known of each step: of its last run, and of the next."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.executors import Recording
from tests.helpers.plans import plan_with
from trtbuild.plan.explain import decide
from trtbuild.plan.history import explain_steps
from trtbuild.run.executor import QuietListener
from trtbuild.run.walk import walk_plan


class Talking(Recording):
    """Its builders say something."""

    def start(self, call):
        Path(call.log).write_text(f"said by {call.name}\n")
        super().start(call)


def explain(store, plan):
    return {each.step: each for each in explain_steps(plan, decide(plan, store), store)}


def test_steps_that_build_keep_their_log_and_no_others(store):
    """What the others say is of use only where they fail."""
    plan = plan_with()
    outcomes = walk_plan(plan, store, Talking(), QuietListener())
    store.remember(plan.recipe, {each.step: each.digest for each in outcomes})

    logs = {name: each.log for name, each in explain(store, plan).items() if each.log}

    assert ["build_engine(rtx)"] == list(logs)
    assert "said by build_engine(rtx)\n" == Path(logs["build_engine(rtx)"]).read_text()


def test_a_step_that_never_ran_has_none(store):
    """Nor a time, nor notes."""
    found = explain(store, plan_with())["build_engine(rtx)"]

    assert ("never", "", None, ()) == (found.last, found.log, found.seconds, found.notes)
