"""What is told while steps run: how far they are, and how long they will take."""

from __future__ import annotations

import pytest

from tests.helpers.plans import plan_with
from trtbuild.cli import progress
from trtbuild.cli.progress import LineListener
from trtbuild.core.values import Ranges
from trtbuild.plan.explain import Decision
from trtbuild.plan.plan import plan_steps
from trtbuild.run.executor import StepProgress
from trtbuild.steps.locked_ranges import LockedRanges

STEP = "build_engine(rtx)"


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def lines(seconds):
    listener = LineListener(verbose=False)
    listener.expected({STEP: seconds})
    listener.started(STEP)
    return listener


def decisions(*verdicts):
    return [
        Decision(step=f"step {number}", digest="sha256:aa", verdict=verdict)
        for number, verdict in enumerate(verdicts)
    ]


def test_a_build_says_how_long_it_will_take(clock, capsys):
    """60 seconds last time, 20 have gone by: 40 are left; later it says how long it took."""
    listener = lines(60.0)
    for passed in (20, 90):
        clock[0] = 100.0 + passed
        listener.progressed(StepProgress(name=STEP, done=50, total=100, unit="%"))

    told = [line.strip() for line in capsys.readouterr().err.splitlines()]

    assert [
        f"run      {STEP}, about 60 s left",
        f"{STEP}: 50 of 100 %, about 40 s left",
        f"{STEP}: 50 of 100 %, it took 60 s before",
    ] == told


def test_what_was_before_the_first_sign_is_no_part_of_what_is_left(clock, capsys):
    """A model is loaded for 100 s, then ten rounds take 20 s: 90 more take 180 s."""
    listener = lines(0.0)
    for passed, done in ((100, 0), (120, 10)):
        clock[0] = 100.0 + passed
        listener.progressed(StepProgress(name=STEP, done=done, total=100, unit="rounds"))

    told = capsys.readouterr().err.splitlines()

    assert f"{STEP}: 10 of 100 rounds, about 180 s left" == told[-1].strip()


def test_what_is_certain_and_what_may_be_is_counted_apart(capsys):
    """A step that may find its result made already is none that runs."""
    LineListener(verbose=False).planned(plan_with(), decisions("run", "maybe", "maybe", "reuse"))

    assert "face: 1 of 4 steps to run, 2 may run\n" == capsys.readouterr().err


def test_a_step_that_only_takes_ranges_over_does_not_say_that_it_calibrates(capsys):
    """It goes by the name of the calibration whose place it takes."""
    table = {"calibrate": LockedRanges(table=Ranges(tensors={}))}
    listener = LineListener(verbose=False)
    listener.planned(plan_steps("face", table, facts={}, deferred={}), decisions("run"))
    listener.started("calibrate")

    told = capsys.readouterr().err.splitlines()[1].strip()

    assert "run      calibrate (takes the ranges in the lock)" == told


@pytest.mark.parametrize("seconds", [0.0, 1.5])
def test_of_a_short_step_nothing_is_said(clock, capsys, seconds):
    """Nor of one that never ran."""
    lines(seconds)

    assert f"run      {STEP}" == capsys.readouterr().err.strip()
