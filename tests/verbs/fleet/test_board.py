"""One executor for several walks: each hears of its own steps alone."""

from __future__ import annotations

import pytest

from tests.helpers.executors import Recording
from tests.helpers.plans import plan_with
from trtbuild.run.executor import Call
from trtbuild.verbs.fleet.board import Board, Stopped


def call(tmp_path, name):
    out = tmp_path / name
    out.mkdir()
    step = plan_with().steps[0].step
    return Call(name="import_model", step=step, inputs={}, out=str(out), log=str(out / "log"))


def test_each_walk_hears_of_its_own(tmp_path):
    """Though both call their steps alike, and one listens for the other."""
    executor = Recording(room=9)
    board = Board(executor)
    one, two = board.view(), board.view()
    two.start(call(tmp_path, "two"))
    one.start(call(tmp_path, "one"))

    assert "import_model" == one.wait(1.0).name
    assert ["0/import_model", "1/import_model"] == sorted(executor.started)
    assert "import_model" == two.wait(0.0 if two.told else 1.0).name
    assert one.wait(0.0) is None


def test_room_and_places_are_the_executor_s(tmp_path):
    """They share it."""
    board = Board(Recording(room=1))
    one, two = board.view(), board.view()
    needs = plan_with().steps[0].step.needs()
    assert "" == one.place(needs).hindrance
    one.start(call(tmp_path, "one"))

    assert not two.has_room(needs)


def test_who_is_stopped_ends_at_its_next_turn():
    """Only the main thread hears the interrupt key."""
    board = Board(Recording())
    view = board.view()
    board.stop()

    with pytest.raises(Stopped):
        view.wait(9.0)
