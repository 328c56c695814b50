"""Results of several processes put together."""

from __future__ import annotations

from tests.helpers.speed import speed_row
from trtbuild.verbs.benching.measure import contrast_rows


def test_models_of_one_runner_and_runners_of_one_model_are_compared():
    """Each with those that come before it, and all with the first one."""
    rows = [speed_row("int8/a", 1.0), speed_row("fp32/a", 2.0), speed_row("fp32/b", 3.0),
            speed_row("int8/a", 5.0, batch=8)]  # fmt: skip
    found = {(each.variant, each.against): each for each in contrast_rows([rows])}

    assert {("int8/a", "fp32/a"), ("fp32/b", "fp32/a"), ("int8/a", "fp32/b")} == set(found)
    assert ("faster", True) == (found["int8/a", "fp32/a"].found, found["int8/a", "fp32/a"].paired)
    assert 2.0 == round(found["int8/a", "fp32/a"].ratio, 6)


def test_what_ran_in_another_process_did_not_take_turns():
    """And is told apart."""
    (found,) = contrast_rows([[speed_row("fp32/a", 2.0)], [speed_row("int8/a", 1.0)]])

    assert ("int8/a", "faster", False) == (found.variant, found.found, found.paired)
