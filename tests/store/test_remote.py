"""A storage behind a store: held to digests, asked within a time, left alone when it fails."""

from __future__ import annotations

import errno
import time

import pytest

from trtbuild.core.digest import digest_of_bytes
from trtbuild.store.remote import Remote, Unreachable, name_object
from trtbuild.store.storage import FolderStorage

DIGEST = digest_of_bytes(b"bytes")


class Failing(FolderStorage):
    """A storage that fails, and says more than it should."""

    def read(self, key, most_bytes):
        raise ConnectionError("https://me:hush@host/x?sig=hush AccessKey=hush denied\nmore")

    size = create = read


class Slow(FolderStorage):
    """A storage that answers when nobody waits any more."""

    def read(self, key, most_bytes):
        time.sleep(0.5)


class Elsewhere(FolderStorage):
    """A storage in a bucket that is not there: reading finds nothing, writing nowhere to write."""

    def create(self, key, data):
        raise FileNotFoundError(f"https://host/bucket/{key}: no such bucket")

    write = create


@pytest.fixture
def remote(tmp_path):
    return Remote(FolderStorage(tmp_path / "remote"))


def test_an_object_comes_if_it_is_what_its_name_says(remote, tmp_path):
    """Read-only, as all in a store."""
    remote.storage.write(name_object(DIGEST), b"bytes")

    assert remote.bring(DIGEST, 5, tmp_path / "it")
    assert (b"bytes", 0) == (
        (tmp_path / "it").read_bytes(),
        (tmp_path / "it").stat().st_mode & 0o222,
    )
    assert () == tuple(remote.troubles)


@pytest.mark.parametrize("stored", [b"bytez", b"longer than said"])
def test_what_it_is_not_does_not_come(remote, tmp_path, stored):
    """Damaged or of another size: nothing is left of it."""
    remote.storage.write(name_object(DIGEST), stored)

    assert not remote.bring(DIGEST, 5, tmp_path / "it")
    assert ["remote"] == [path.name for path in tmp_path.iterdir()]


def test_damage_is_told(remote, tmp_path):
    """Which object, and that it was not used."""
    remote.storage.write(name_object(DIGEST), b"bytez")
    remote.bring(DIGEST, 5, tmp_path / "it")

    assert "is damaged; it was not used" in remote.troubles[0]


def test_a_failing_storage_is_left_alone(tmp_path):
    """After two failures it is asked no more; nothing secret is said."""
    remote = Remote(Failing(tmp_path))
    for key in "abcd":
        assert remote.read(key, 9) is None

    told = " ".join(remote.troubles)
    assert (2, True) == (remote.requests, remote.set_aside)
    assert "ConnectionError" in told
    assert "store push" in told
    assert "hush" not in told
    with pytest.raises(Unreachable):
        remote.claim(DIGEST)


def test_a_storage_that_does_not_answer_holds_nobody_up(tmp_path):
    """It is as one that fails."""
    remote = Remote(Slow(tmp_path), ask_seconds=0.02)
    assert remote.read("a", 9) is None

    assert "no answer within 0 seconds" in remote.troubles[0]


def test_a_bucket_that_is_not_there_is_a_failure(tmp_path):
    """Told as one, once whichever key it was met with, and then left alone."""
    remote = Remote(Elsewhere(tmp_path))
    assert remote.read("a", 9) is None
    with pytest.raises(Unreachable):
        remote.write("a", b"1")
    with pytest.raises(Unreachable):
        remote.claim(DIGEST)

    failed, left = remote.troubles
    assert "FileNotFoundError: https://host/…" in failed
    assert "left alone" in left


def test_a_full_storage_is_told_once(tmp_path, monkeypatch):
    """Not once an object; what could be read is still read."""
    remote = Remote(FolderStorage(tmp_path / "remote"))

    def fill(_, path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("shutil.copyfile", fill)
    (tmp_path / "it").write_bytes(b"bytes")
    for digest in (DIGEST, digest_of_bytes(b"others")):
        with pytest.raises(Unreachable):
            remote.send(digest, tmp_path / "it")
        assert remote.read("a", 9) is None

    (told,) = remote.troubles
    assert told.endswith(f"No space left on device: '{tmp_path}/remote/objects/…'")


def test_it_is_left_alone_whatever_it_said_before(tmp_path):
    """Two failures of two sorts are two, and the end of asking."""
    remote = Remote(Failing(tmp_path))
    remote.read("a", 9)
    remote.storage = Elsewhere(tmp_path)
    with pytest.raises(Unreachable):
        remote.write("b", b"")

    assert ["failed", "failed", "left alone"] == [
        "left alone" if "left alone" in told else "failed" for told in remote.troubles
    ]


def test_a_list_is_not_waited_for_where_nothing_answers(tmp_path):
    """A long one may take long: so a short question comes first."""
    slow = Slow(tmp_path)
    slow.size = lambda _: time.sleep(0.5)
    with pytest.raises(Unreachable, match="no answer"):
        list(Remote(slow, ask_seconds=0.02).list("runs"))


def test_what_was_not_there_is_not_asked_for_at_every_turn(remote):
    """A walk looks five times a second; what is claimed is asked for anew."""
    assert remote.read("a", 9) is None
    remote.storage.write("a", b"1")

    assert (None, 1) == (remote.read("a", 9), remote.requests)
    remote.forget("a")
    assert b"1" == remote.read("a", 9)
