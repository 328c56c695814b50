"""What a difference says of itself."""

from __future__ import annotations

import pytest

from trtbuild.plan.difference import Change, Diff, GateChange
from trtbuild.plan.range_diff import RangeDiff

FAILED = GateChange(gate="a", before=True, after=False)


@pytest.mark.parametrize(
    ("expected", "parts"),
    [
        (False, {}),
        (False, {"seconds": (Change(what="x"),), "notes": ("x",), "gates": (FAILED,)}),
        (False, {"ranges": RangeDiff(moved=(), same=1, tolerance=0.0)}),
        (True, {"tools": (Change(what="x"),)}),
        (True, {"reruns": ("x",)}),
        (True, {"only": "after"}),
    ],
)
def test_time_remarks_and_old_failures_are_no_difference(expected, parts):
    """Only what a recipe means, and what came of it."""
    assert expected == Diff(before="a", after="a", **parts).differ


def test_gates_that_fail_now_are_the_failed_ones():
    """Not those that failed, nor those that nobody asks for any more."""
    gates = (
        FAILED,
        GateChange(gate="b", before=False, after=True),
        GateChange(gate="c", before=False, after=None),
    )

    assert (FAILED,) == Diff(before="a", after="a", gates=gates).failed
