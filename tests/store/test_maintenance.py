"""What a store holds, whether it is whole, and what may go."""

from __future__ import annotations

import errno
import fcntl
import json
import os

import pytest

from trtbuild.core.errors import StoreInUse
from trtbuild.core.records import Action
from trtbuild.store.maintenance import (
    collect_garbage,
    keep_builds_out,
    list_entries,
    measure_usage,
    note_lock,
    verify_store,
)


def digest(letter):
    return "sha256:" + letter * 64


def ran(store, step, text, *, of=(), letter):
    """Record a step that made one file of so many bytes from some inputs; return its artifact."""
    path = store.root / "made"
    path.write_text(text)
    artifact = store.add(path, "out", move=True)
    action = Action(
        step=step,
        digest=digest(letter),
        ingredients=json.dumps({"inputs": dict(enumerate(of))}),
        artifacts=(artifact,),
        seconds=1.0,
        where="here",
    )
    store.record(action, digest({"a": "1", "b": "2", "c": "3", "d": "4"}[letter]))
    return artifact


@pytest.fixture
def used(store):
    """Import (5 bytes) and build (7) of `face`; a build (3) of an earlier run; a stray (2)."""
    made = {
        "import": ran(store, "import", "model", letter="a"),
        "build": ran(store, "build", "engine!", of=[f"{digest('a')}/out"], letter="b"),
        "old": ran(store, "build", "old", of=[f"{digest('a')}/out"], letter="c"),
        "stray": ran(store, "try", "no", letter="d"),
    }
    store.remember("face", {"import": digest("a"), "build": digest("c")})
    type(store)(store.root).remember("face", {"build": digest("b")})
    return made


def here(store, made):
    return {name for name, artifact in made.items() if store.has(artifact)}


def test_every_step_is_listed_with_who_uses_it(store, used):
    """The last run of a recipe does; sizes are those of what it made."""
    found = {(each.step, each.size_bytes): each.recipes for each in list_entries(store)}

    assert {
        ("import", 5): ("face",),
        ("build", 7): ("face",),
        ("build", 3): (),
        ("try", 2): (),
    } == found


def test_usage_adds_up(store, used):
    """17 bytes, of which the last run of `face` reaches 12, and a running step has 4 more."""
    (store.root / "work/it").mkdir()
    (store.root / "work/it/log").write_text("1234")

    found = measure_usage(store)

    assert (17, {"face": 12}, 5, 4) == (found.total, found.by_recipe, found.unused, found.work)


@pytest.mark.parametrize(
    ("left", "runs"), [({"import", "build"}, 1), ({"import", "build", "old"}, 2)]
)
def test_what_the_last_runs_stand_on_is_kept(store, used, left, runs):
    """And what that was made from; the rest goes, with its record."""
    kept = sum(used[name].size_bytes for name in left)

    promised = collect_garbage(store, runs=runs, pretend=True)
    assert set(used) == here(store, used)
    found = collect_garbage(store, runs=runs)

    assert promised == found
    assert (kept, 17 - kept) == (found.kept_bytes, found.size_bytes)
    assert left == here(store, used)
    assert len(left) == len(list_entries(store))


def test_what_a_lock_names_is_kept_while_it_lies_there(store, used, tmp_path):
    """With all that it was made from; a lock that is gone keeps nothing."""
    lock = tmp_path / "face.lock"
    lock.write_text(f'int8 = "{used["old"].digest}"\n')
    note_lock(store, lock)
    note_lock(store, lock)

    collect_garbage(store, runs=1)
    assert {"import", "build", "old"} == here(store, used)
    lock.unlink()
    collect_garbage(store, runs=1)
    assert {"import", "build"} == here(store, used)


def test_what_is_damaged_is_named_and_removed(store, used):
    """Objects by their digest, records by their file; the rest is counted and stays."""
    path = store.object_path(used["import"].digest)
    path.chmod(0o644)
    path.write_text("modfl")
    (store.root / "records/face.json").write_text("torn")

    found = verify_store(store)

    assert (4, 17) == (found.objects, found.size_bytes)
    assert (used["import"].digest,) == found.damaged
    assert ("records/face.json",) == found.unreadable
    assert {"build", "old", "stray"} == here(store, used)
    assert ((), ()) == (verify_store(store).damaged, verify_store(store).unreadable)


def test_nothing_is_swept_while_something_is_built(store, used):
    """What is being made is not yet reachable from anything; and the other way round."""
    with store.using(), pytest.raises(StoreInUse, match="something is being built"):
        collect_garbage(store, runs=1)
    with keep_builds_out(store), pytest.raises(StoreInUse, match="is being swept"):
        store.using().__enter__()
    assert set(used) == here(store, used)


def test_without_locks_nothing_is_swept(store, monkeypatch):
    """Nobody can say whether something is being built."""

    def refuse(handle, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)

    with pytest.raises(StoreInUse, match="cannot be known: its file system has no locks") as caught:
        collect_garbage(store, runs=1)
    assert "remove the store" in caught.value.hint
