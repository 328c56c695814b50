"""What the results of two locks say."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.measure.bits import write_bits
from trtbuild.plan.lock import Lock, LockedGate, LockedTarget
from trtbuild.verbs.diff_figures import compare_figures, compare_gates, judge_results

RTX = LockedTarget(backend="x", built_for=(), engine_size_bytes=1, asked_int8=10, delivered_int8=10)
LESS = RTX.model_copy(update={"delivered_int8": 9})
GOOD, BAD = LockedGate(passed=True), LockedGate(passed=False)


def lock(**changes):
    empty = {"models": {}, "recipe": {}, "sources": {}, "tools": {}, "targets": {}, "measures": {}}
    return Lock.model_validate({**empty, **changes})


def counted(right, *, data="d", count=100):
    hits = np.arange(count) >= count - right
    return lock(
        measures={"y.top1": right / count},
        compared={"samples": count, "data": data},
        right={"y.top1": write_bits(hits)},
    )


def test_samples_that_are_compared_one_by_one_are_named():
    """Of a pair that got better and worse alike, nothing can be said."""
    (found,) = compare_figures(counted(91), counted(90), [f"{n}.png" for n in range(100)])

    assert (True, "noise") == (found.paired, found.verdict)
    assert (("9.png",), ()) == (found.lost, found.gained)


@pytest.mark.parametrize(
    ("expected", "before", "after"),
    [
        ("same", counted(90), counted(90)),
        ("noise", counted(90), counted(85)),
        ("worse", counted(90), counted(84)),
        ("better", counted(84), counted(90)),
        ("noise", counted(90), counted(84, data="other")),
        ("worse", counted(90), counted(70, data="other")),
    ],
)
def test_a_share_is_judged_by_its_samples(expected, before, after):
    """By the sign test where they are the same ones, else by the binomial interval."""
    (found,) = compare_figures(before, after)

    assert expected == found.verdict


def test_a_figure_keeps_the_intervals_that_the_locks_have():
    """One that was locked before there were intervals has none."""
    sure = counted(90).model_copy(update={"intervals": {"y.top1": (0.83, 0.95)}})
    (found,) = compare_figures(counted(91), sure)

    assert (None, (0.83, 0.95)) == (found.interval_before, found.interval_after)


def test_gates_that_do_not_pass_come_first():
    """One that passes on both sides is no news."""
    gates = {name: LockedGate(passed=name != "b") for name in "abc"}
    then = lock(gates={**gates, "c": LockedGate(passed=False, told="9")})

    found = compare_gates(then, lock(gates=gates))

    assert [("b", False, False), ("c", False, True)] == [(x.gate, x.before, x.after) for x in found]


@pytest.mark.parametrize(
    ("expected", "then", "now"),
    [
        ("unknown", None, lock()),
        ("noise", counted(90), counted(88)),
        ("same", counted(90), counted(90)),
        ("worse", lock(gates={"a": GOOD}), lock(gates={"a": BAD})),
        ("better", lock(gates={"a": BAD}), lock(gates={"a": GOOD})),
        ("worse", lock(targets={"t": RTX}), lock(targets={"t": LESS})),
    ],
)
def test_the_verdict_sums_up(expected, then, now):
    """A gate that fails is worse, whatever the figures."""
    figures = compare_figures(then, now) if then else ()

    assert expected == judge_results(then, now, figures, compare_gates(then, now), differ=True)


def test_better_and_worse_is_both():
    """Neither hides the other; and where nothing differs, nothing is said."""
    then = counted(80).model_copy(update={"targets": {"t": RTX}})
    now = counted(95).model_copy(update={"targets": {"t": LESS}})

    assert "mixed" == judge_results(then, now, compare_figures(then, now), (), differ=True)
    assert "same" == judge_results(None, None, (), (), differ=False)
