"""What every storage promises, a folder and those of fsspec's alike."""

from __future__ import annotations

import itertools

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.store.storage import open_storage

_numbers = itertools.count()


def make(kind, tmp_path):
    """A storage of each sort; the `local://` one is of those that are not whole by themselves."""
    if kind == "folder":
        return open_storage(str(tmp_path / "remote"))
    pytest.importorskip("fsspec")
    place = f"/storage{next(_numbers)}" if kind == "memory" else tmp_path / "remote"
    return open_storage(f"{kind}://{place}")


@pytest.fixture(params=["folder", "memory", "local"])
def storage(request, tmp_path):
    return make(request.param, tmp_path)


def test_what_is_written_is_read(storage, tmp_path):
    """By bytes and by files; nothing where nothing was written."""
    (tmp_path / "file").write_bytes(b"from a file")
    storage.write("actions/a.json", b"{}")
    storage.send("objects/ab/cd", tmp_path / "file")

    assert (b"{}", 2) == (storage.read("actions/a.json", 100), storage.size("actions/a.json"))
    assert storage.fetch("objects/ab/cd", tmp_path / "back")
    assert b"from a file" == (tmp_path / "back").read_bytes()
    assert (None, None) == (storage.read("no", 9), storage.size("no"))
    assert not storage.fetch("no", tmp_path / "no")


def test_more_than_is_wanted_is_nothing(storage):
    """A record that would fill the memory is none."""
    storage.write("a/b", b"12345")

    assert (b"12345", None) == (storage.read("a/b", 5), storage.read("a/b", 4))


def test_a_name_is_made_once(storage):
    """The second maker is told, and changes nothing; removed, it can be made again."""
    assert [True, False] == [storage.create("leases/x/1", b"1"), storage.create("leases/x/1", b"2")]
    assert b"1" == storage.read("leases/x/1", 10)
    storage.remove("leases/x/1")
    storage.remove("leases/x/1")
    assert storage.create("leases/x/1", b"3")


def test_what_lies_below_a_folder_is_listed(storage):
    """With its size, and a time; what is half written is none, and of nothing there is nothing."""
    storage.write("objects/ab/cd", b"123")
    storage.write("objects/ab/.cd.part", b"1")
    storage.write("runs/net/1.json", b"1")

    (found,) = storage.list("objects")
    assert ("objects/ab/cd", 3) == found[:2]
    assert found.modified is not None
    assert [] == list(storage.list("nothing"))


@pytest.mark.parametrize(
    "url", ["s3://key:hush@bucket/x", "sftp://me:hush@host/x", "s3://bucket/x?secret=hush"]
)
def test_a_password_is_refused_and_not_said(url):
    """It would end in settings and logs."""
    with pytest.raises(UsageError) as caught:
        open_storage(url)

    assert "hush" not in caught.value.message + caught.value.hint


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path, monkeypatch):
    """Not an empty one: who sweeps by it would take all for gone."""
    storage = make("folder", tmp_path)
    storage.write("objects/ab/cd", b"1")

    def refuse(*_):
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(OSError, match="Stale"):
        list(storage.list("objects"))
