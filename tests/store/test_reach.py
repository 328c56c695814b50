"""What runs and locks stand on."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.action import Action
from trtbuild.core.digest import digest_of_bytes
from trtbuild.store.reach import RecordReader

FETCHED = "sha256:" + "f" * 64


def ran(store, what, *inputs):
    """Record a step that made one file of some inputs; return its digest, and the file's."""
    path = store.root / "made"
    path.write_text(what)
    ingredients = json.dumps({"inputs": dict(enumerate(inputs)), "what": what})
    action = Action(
        step=what,
        digest=digest_of_bytes(ingredients.encode()),
        ingredients=ingredients,
        artifacts=(store.add(path, "out", move=True),),
        seconds=1.0,
        where="here",
    )
    store.record(action, what)
    return action.digest, action.artifacts[0].digest


@pytest.fixture
def chain(store):
    """A step of a fetched file, one of what that made, and one that stands alone."""
    first = ran(store, "first", FETCHED)
    return first, ran(store, "second", f"{first[0]}/out"), ran(store, "alone")


def test_a_step_leads_to_all_that_it_was_made_from(store, chain):
    """To what these made, and to the files that were fetched for them."""
    first, second, _ = chain
    reach = RecordReader(store).follow([second[0]])

    assert {first[0], second[0]} == reach.actions
    assert {first[1], second[1], FETCHED} == reach.objects


def test_an_object_leads_to_the_step_that_made_it(store, chain):
    """A lock names objects alone."""
    first, second, _ = chain

    assert {first[0], second[0]} == RecordReader(store).follow([], [second[1]]).actions
    assert {first[0]} == RecordReader(store).follow([], [first[1]]).actions


def test_what_is_not_recorded_leads_nowhere(store, chain):
    """Nor does what is no digest."""
    assert set() == RecordReader(store).follow(["sha256:" + "0" * 64, "nonsense", ""]).actions


def test_each_record_is_read_once(store, chain, monkeypatch):
    """However many recipes stand on it: a thousand of one model are common."""
    first, second, alone = chain
    read = []
    action = type(store).action
    monkeypatch.setattr(type(store), "action", lambda *of: read.append(of[1]) or action(*of))
    reader = RecordReader(store)
    for _ in range(9):
        reader.follow([second[0], alone[0]])

    assert sorted([first[0], second[0], alone[0]]) == sorted(read)
