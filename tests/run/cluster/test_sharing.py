"""When a calibration is shared out, and what is done with the shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.plans import plan_with
from trtbuild.run.cluster import sharing
from trtbuild.run.cluster.sharing import pays, share_out
from trtbuild.run.executor import Call, CallResult, StepProgress

STEPS = {each.name: each.step for each in plan_with().steps}


@pytest.fixture(autouse=True)
def _sound_data(monkeypatch):
    monkeypatch.setattr(sharing, "_may", lambda *_: True)


@pytest.fixture
def call(tmp_path):
    (tmp_path / "out").mkdir()
    return Call(
        name="calibrate", step=STEPS["calibrate"], inputs={}, out=str(tmp_path / "out"),
        log=str(tmp_path / "log"),
    )  # fmt: skip


def told(name, done, total=100):
    return StepProgress(name=name, done=done, total=total, unit="samples")


def ended(call, message=""):
    return CallResult(name=call.name, seconds=1.0, where="far", message=message)


@pytest.mark.parametrize(
    ("done", "seconds", "workers", "wanted"),
    [
        (4, 4.0, 2, True),  # 96 s alone, 50 s and a new start together
        (4, 4.0, 1, False),
        (90, 90.0, 2, False),  # 10 s are left
        (4, 0.4, 2, False),  # all of it takes 10 s
        (1, 9.0, 2, False),  # the first sample tells little
        (100, 900.0, 2, False),
    ],
)
def test_it_is_shared_where_that_is_sooner(call, done, seconds, workers, wanted):
    """By the measured seconds of its samples."""
    assert wanted == pays(call, told("calibrate", done), seconds, workers)


def test_nothing_else_is_shared(call):
    """No other step, and no calibration whose shares are counted."""
    other = call.model_copy(update={"step": STEPS["quantize"]})
    gathered = call.model_copy(update={"inputs": {"share/0000": "/x"}})
    assert not pays(other, told("quantize", 4), 4.0, 2)
    assert not pays(gathered, told("calibrate", 4), 4.0, 2)


def test_the_last_share_leads_to_the_calibration(call):
    """On what all have counted; meanwhile they are as far as they are together."""
    shared = share_out(call, 100, 2)
    one, two = shared.parts
    shared.progressed(told(one.name, 10, 50))

    assert ("calibrate", 25, 100) == (
        (found := shared.progressed(told(two.name, 15, 50))).name, found.done, found.total,
    )  # fmt: skip
    assert shared.end(ended(two)) is None
    left = shared.end(ended(one))
    counts = [str(Path(part.out) / "counts.npz") for part in (one, two)]
    assert counts == [path for _, path in sorted(left.inputs.items())]


def test_where_a_share_fails_it_is_done_without(call):
    """So that what is wrong is said as ever."""
    shared = share_out(call, 100, 2)
    shared.end(ended(shared.parts[0], "no"))

    assert call is shared.end(ended(shared.parts[1]))
    assert shared.failed
