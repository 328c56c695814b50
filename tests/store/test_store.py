"""The store: atomic, verified, claimed."""

from __future__ import annotations

import errno
import fcntl
import os

import pytest

from trtbuild.core.digest import digest_of_bytes
from trtbuild.core.errors import CorruptObject, NotWritable
from trtbuild.store.store import Store, find_default_root

AB = "sha256:" + "ab" * 32
EMPTY, BESIDE = digest_of_bytes(b"{}"), digest_of_bytes(b"[]")


def taken_in(store, path, text="hello"):
    path.write_text(text)
    return store.add(path, "thing", move=True)


def test_equal_contents_are_one_object(store, tmp_path):
    """A file's digest is its place."""
    first = taken_in(store, tmp_path / "a")
    second = taken_in(store, tmp_path / "b")

    assert first == second
    assert "hello" == store.object_path(first.digest).read_text()


def test_an_object_is_read_only(store, tmp_path):
    """Nobody changes an object by accident."""
    artifact = taken_in(store, tmp_path / "a")

    assert 0o444 == store.object_path(artifact.digest).stat().st_mode & 0o777


def test_a_flipped_bit_is_found_and_the_object_removed(store, tmp_path):
    """Verification reads the whole object; what is wrong is put out of reach."""
    artifact = taken_in(store, tmp_path / "a")
    path = store.object_path(artifact.digest)
    path.chmod(0o644)
    path.write_text("hellp")

    with pytest.raises(CorruptObject, match="damaged"):
        store.verify(artifact)
    assert not store.has(artifact)


def test_an_object_in_another_s_place_is_damaged(store, tmp_path):
    """Of the same size, too: what is read is held to its name."""
    first, second = taken_in(store, tmp_path / "a"), taken_in(store, tmp_path / "b", "world")
    store.object_path(second.digest).replace(store.object_path(first.digest))

    with pytest.raises(CorruptObject, match="damaged"):
        store.verify(first)


def test_a_claim_is_held_by_one(store):
    """Closing it, as a dying process does, gives it back."""
    first = store.claim(AB)

    assert store.claim(AB) is None
    first.close()
    again = store.claim(AB)
    assert again is not None
    again.close()


@pytest.fixture
def without_locks(monkeypatch):
    """A file system without locks."""

    def refuse(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_without_locks_the_store_works_and_says_so(store, without_locks):
    """It is not being swept, for ever; whoever builds with it is told to do so alone."""
    with store.using():
        assert "has no locks (No locks available): let one trtbuild at a time" in store.remark
        assert "\n" not in store.remark
        store.claim(AB).close()


def test_without_locks_another_s_work_stays(store, without_locks):
    """It may be at the same step, in a directory of its own; what was left in ours goes."""
    store.claim(AB).close()
    ours = store.work(AB)
    theirs = ours.with_name(f"{ours.name}1")
    for work in (ours, theirs):
        (work / "half").parent.mkdir(exist_ok=True)
        (work / "half").touch()

    assert ours == store.work(AB)
    assert (theirs / "half").exists()
    assert not (ours / "half").exists()


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_an_object_is_for_those_whom_the_umask_lets(store, tmp_path, umask):
    """To read; nobody writes to one."""
    before = os.umask(umask)
    try:
        (tmp_path / "a").write_text("a")
        (tmp_path / "b").write_text("b")
        added = [store.add(tmp_path / "a", "x", move=True), store.add(tmp_path / "b", "x")]
    finally:
        os.umask(before)

    modes = {store.object_path(each.digest).stat().st_mode & 0o777 for each in added}
    assert {0o444 & ~umask} == modes


def test_a_store_that_cannot_be_made_says_how_to_move_it(tmp_path):
    """One clear error, with the variable that chooses another place."""
    (tmp_path / "file").write_text("")

    with pytest.raises(NotWritable, match="cannot be written to") as caught:
        Store(tmp_path / "file" / "store").prepare()
    assert "TRTBUILD_STORE" in caught.value.hint


def test_history_remembers_the_last_run_of_each_step(store):
    """A walk over a part of the plan does not forget the rest."""
    store.remember("face", {"a": "1", "b": "2"})
    store.remember("face", {"b": "3"})

    assert {"a": "1", "b": "3"} == store.history("face")


def test_the_store_is_in_the_user_cache_unless_moved(monkeypatch, tmp_path):
    """TRTBUILD_STORE wins; XDG_CACHE_HOME is honoured."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "here"))
    assert tmp_path / "here" == find_default_root()
    monkeypatch.delenv("TRTBUILD_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert tmp_path / "cache" / "trtbuild" == find_default_root()


@pytest.mark.parametrize("digest", ["sha256:../../../x", "sha256:/x", "x", "sha256:", "sha256:AB"])
def test_what_is_no_digest_leads_nowhere(store, digest):
    """A forged record names no file outside the store, and removes none there."""
    with pytest.raises(CorruptObject, match="is no digest"):
        store.object_path(digest)
