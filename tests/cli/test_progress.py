"""What is told while steps run: how far they are, and how long they will take."""

from __future__ import annotations

import pytest

from trtbuild.cli import progress
from trtbuild.cli.progress import LineListener
from trtbuild.run.executor import StepProgress

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


@pytest.mark.parametrize("seconds", [0.0, 1.5])
def test_of_a_short_step_nothing_is_said(clock, capsys, seconds):
    """Nor of one that never ran."""
    lines(seconds)

    assert f"run      {STEP}" == capsys.readouterr().err.strip()
