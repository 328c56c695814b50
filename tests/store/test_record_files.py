"""Records are read as what they are asked for, or not at all."""

from __future__ import annotations

import pytest

from trtbuild.core.action import Action
from trtbuild.core.digest import digest_of_bytes, seal
from trtbuild.core.records import Artifact
from trtbuild.store import observed, record_files
from trtbuild.store.store import Store

AB = "sha256:" + "ab" * 32
EMPTY, BESIDE = digest_of_bytes(b"{}"), digest_of_bytes(b"[]")


def taken_in(store, path, text="hello"):
    path.write_text(text)
    return store.add(path, "thing", move=True)


def action_of(ingredients, *artifacts, digest=None):
    digest = digest or digest_of_bytes(ingredients.encode())
    return Action(
        step="x", digest=digest, ingredients=ingredients, artifacts=artifacts, seconds=1, where=""
    )


def test_a_torn_action_reads_as_absent(store, tmp_path):
    """What cannot be understood is not there: the step runs again."""
    (store.root / "actions" / "ab.json").write_text('{"step": "x", "dig')

    assert store.action(AB) is None


def test_an_action_survives_the_round_trip(store, tmp_path):
    """What is recorded is what is read, by digest and by contents."""
    artifact = taken_in(store, tmp_path / "a")
    action = action_of("{}", artifact)

    store.record(action, "[]")

    assert action == store.action(EMPTY) == store.same_contents(BESIDE)
    assert store.complete(action)


def test_a_record_is_taken_for_no_other(store, tmp_path):
    """Two that are swapped are both absent: their steps run again."""
    store.record(action_of("{}", taken_in(store, tmp_path / "a")), "[]")
    store.record(action_of("[{}]", taken_in(store, tmp_path / "b", "hi")), "[[]]")
    others = digest_of_bytes(b"[{}]"), digest_of_bytes(b"[[]]")
    for folder in ("actions", "contents"):
        first, second = (store.root / folder).iterdir()
        kept = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(kept)

    assert [None, None] == [store.action(EMPTY), store.action(others[0])]
    assert [None, None] == [store.same_contents(BESIDE), store.same_contents(others[1])]


def test_an_action_that_claims_other_ingredients_is_absent(store, tmp_path):
    """Its name and seal are right; what it says it was made of is not what it is named for."""
    store.record(action_of("{}", taken_in(store, tmp_path / "a"), digest=AB), "[]")

    assert store.action(AB) is None
    assert store.same_contents(BESIDE) is None


def test_the_runs_of_another_recipe_are_none_of_this_one(store):
    """Though its file should have been renamed."""
    store.remember("small", {"step": AB})
    (store.root / "records/small.json").rename(store.root / "records/large.json")

    assert [] == store.runs("large")


def test_a_forged_action_reads_as_absent(store):
    """Its seal is right, and its artifact would be a file elsewhere."""
    victim = store.root / "victim"
    victim.write_text("mine")
    artifact = Artifact(name="model", digest="sha256:ab/../../victim", size_bytes=4)

    store.record(action_of("{}", artifact), "[]")

    assert store.action(EMPTY) is None
    assert "mine" == victim.read_text()


@pytest.mark.parametrize("text", ["[1]", '[{"s": 1}]', "{}", "[" * 100_000, '"x"', "nonsense"])
def test_forged_runs_read_as_none(store, text):
    """Whatever JSON stands there, or none."""
    (store.root / "records/small.json").write_bytes(seal(text))

    assert {} == store.history("small")
    assert [] == store.runs("small")


def test_a_record_is_no_longer_than_such_a_record_is(store, tmp_path, monkeypatch):
    """A right seal says that a file is whole: one of gigabytes is not read, nor ever written."""
    action = action_of("{}", taken_in(store, tmp_path / "a"))
    store.record(action, "[]")
    assert store.action(action.digest) == action

    monkeypatch.setattr(record_files, "MOST_ACTION_BYTES", 64)

    assert Store(store.root).action(action.digest) is None
    other = action_of("[{}]", taken_in(store, tmp_path / "b"))
    store.record(other, "[]")
    assert [other.step] == store.unkept
    assert not (store.root / f"actions/{other.digest[7:]}.json").exists()


def test_runs_that_are_too_long_are_none(store, monkeypatch):
    """Each kind of record has a limit of its own."""
    store.remember("tiny", {"quantize": AB})
    monkeypatch.setattr(record_files, "MOST_RUNS_BYTES", 64)

    assert {} == store.history("tiny")


def test_of_what_code_rested_on_as_much_is_kept_as_is_read_again(store, monkeypatch):
    """The latest is always written; what was before it goes first."""
    monkeypatch.setattr(observed, "MOST_BYTES", 600)

    for number in range(20):
        observed.note_observed(store, AB, EMPTY, [f"file {number}.txt"])
        assert [f"file {number}.txt"] == observed.read_observed(store, AB)[0]

    assert 1 < len(observed.read_observed(store, AB)) < 8


def test_an_action_is_read_once_while_its_file_stands(store, tmp_path, monkeypatch):
    """A command asks for it several times; what another process writes meanwhile is seen."""
    read = []
    plain = record_files.read_action
    monkeypatch.setattr(
        record_files, "read_action", lambda *given: read.append(given) or plain(*given)
    )
    first = action_of("{}", taken_in(store, tmp_path / "a"))
    other = first.model_copy(update={"where": "elsewhere"})
    store.record(first, "[]")

    assert [first, first] == [store.action(EMPTY) for _ in range(2)]
    assert 1 == len(read)
    record_files.write_action(store.root / "actions" / f"{EMPTY[7:]}.json", other)
    assert other == store.action(EMPTY)
    (store.root / "actions" / f"{EMPTY[7:]}.json").unlink()
    assert store.action(EMPTY) is None
