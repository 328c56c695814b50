"""What a store holds, whether it is whole, and what may go."""

from __future__ import annotations

import errno
import fcntl
import json
import os

import pytest

from trtbuild.core.action import Action
from trtbuild.core.digest import digest_of_bytes
from trtbuild.core.errors import StoreInUse
from trtbuild.store.maintenance import (
    collect_garbage,
    keep_builds_out,
    list_entries,
    measure_usage,
    note_lock,
    verify_store,
)


def ingredients(what, *of):
    return json.dumps({"inputs": dict(enumerate(of)), "what": what})


def digest(what, *of):
    return digest_of_bytes(ingredients(what, *of).encode())


IMPORT, OUT = digest("import"), f"{digest('import')}/out"
BUILD, OLD = digest("build", OUT), digest("old", OUT)


def ran(store, step, text, what, *of):
    """Record a step that made one file of some inputs; return its artifact."""
    path = store.root / "made"
    path.write_text(text)
    artifact = store.add(path, "out", move=True)
    action = Action(
        step=step,
        digest=digest(what, *of),
        ingredients=ingredients(what, *of),
        artifacts=(artifact,),
        seconds=1.0,
        where="here",
    )
    store.record(action, f"{what} by its contents")
    return artifact


@pytest.fixture
def used(store):
    """Import (5 bytes) and build (7) of `face`; a build (3) of an earlier run; a stray (2)."""
    made = {
        "import": ran(store, "import", "model", "import"),
        "build": ran(store, "build", "engine!", "build", OUT),
        "old": ran(store, "build", "old", "old", OUT),
        "stray": ran(store, "try", "no", "stray"),
    }
    store.remember("face", {"import": IMPORT, "build": OLD})
    type(store)(store.root).remember("face", {"build": BUILD})
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
    """17 bytes, of which the last run of `face` reaches 12; a running step has 4 more, a stamp 3.

    What is written down of it all counts too.
    """
    (store.root / "work/it").mkdir()
    (store.root / "work/it/log").write_text("1234")
    (store.root / "stamps").mkdir()
    (store.root / "stamps/one").write_text("123")
    noted = [*store.root.glob("[acr]*/*.json"), *store.root.glob("*.json")]

    found = measure_usage(store)

    assert (17, {"face": 12}, 5, 4) == (found.objects, found.by_recipe, found.unused, found.work)
    assert (3, sum(path.stat().st_size for path in noted)) == (found.stamps, found.records)
    assert 17 + 4 + 3 + found.records == found.total


def test_stamps_go_with_the_garbage(store, used):
    """They are counted before, and found anew after."""
    (store.root / "stamps").mkdir()
    (store.root / "stamps/one").write_text("123")

    promised = collect_garbage(store, runs=1, pretend=True)
    assert promised == collect_garbage(store, runs=1)
    assert (1, 3) == (promised.stamps, promised.stamps_bytes)
    assert [] == list((store.root / "stamps").iterdir())


def test_logs_go_with_their_steps(store, used, tmp_path):
    """That of a step that stays is kept; one that says nothing never was."""
    for what, of in (("build", OUT), ("old", OUT)):
        (tmp_path / "log.txt").write_text(f"said of {what}")
        action = store.action(digest(what, of))
        assert store.keep_log(tmp_path / "log.txt", action.digest)
        store.record(action.model_copy(update={"log": action.digest}), f"{what} by its contents")
    (tmp_path / "log.txt").touch()
    assert not store.keep_log(tmp_path / "log.txt", BUILD)

    collect_garbage(store, runs=1)

    assert "said of build" == store.find_log(store.action(BUILD)).read_text()
    assert 1 == len(list((store.root / "logs").iterdir()))


def test_a_log_is_looked_for_under_a_digest_alone(store, used):
    """A record may have been made to do harm."""
    action = store.action(BUILD)

    for log in ("", "../../etc/passwd", digest("nothing")):
        assert store.find_log(action.model_copy(update={"log": log})) is None


def test_a_record_under_another_s_name_is_damaged(store, used):
    """Whole as it is: it would be taken for the other."""
    for folder in ("actions", "contents"):
        first, second, *_ = sorted((store.root / folder).iterdir())
        swap(first, second)
    (store.root / "records/face.json").rename(store.root / "records/other.json")

    found = verify_store(store)

    assert 5 == len(found.unreadable)
    assert "records/other.json" in found.unreadable
    assert () == found.damaged


def swap(first, second):
    first.rename(first.with_name("aside"))
    second.rename(first)
    first.with_name("aside").rename(second)


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
