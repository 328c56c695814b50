"""Storages by URL: what is not there is said; times as libraries tell them. See test_storage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trtbuild.core.errors import MissingDependency, UsageError
from trtbuild.store.fsspec_storage import CONFLICT, FsspecStorage, _read_time, open_fsspec

pytest.importorskip("fsspec")


def test_a_library_that_is_lacking_is_named(monkeypatch):
    """With what installs it."""
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(MissingDependency) as caught:
        open_fsspec("s3://bucket/store")

    assert "pip install 's3fs'" == caught.value.hint


def test_a_scheme_that_nobody_knows_is_refused():
    """With those there are."""
    with pytest.raises(UsageError, match="no storage of that sort"):
        open_fsspec("floppy://a/store")


@pytest.mark.parametrize(
    "told",
    [
        {"LastModified": datetime(1970, 1, 1, 0, 1, tzinfo=UTC)},
        {"mtime": 60},
        {"updated": "1970-01-01T00:01:00+00:00"},
        {"created": "never", "mtime": 60.0},
    ],
)
def test_a_time_is_read_as_each_library_tells_it(told):
    """In seconds; S3, SFTP and Google say it in their ways."""
    assert 60.0 == _read_time(told)


def test_no_time_is_none():
    """Nothing is made up."""
    assert _read_time({"size": 1}) is None


class Line:
    """A file system over a line that may be cut; it notes whether two ask at once."""

    cut = False

    def info(self, path):
        if self.cut:
            raise EOFError
        return {"size": len(path)}

    def pipe_file(self, path, data, mode):
        raise OSError(f"[Errno 5] An error occurred ({CONFLICT}) when calling PutObject")


def over(made):
    """A storage whose file systems are kept for one asker at a time."""

    def connect():
        made.append(Line())
        return made[-1]

    return FsspecStorage(connect, "/a", name="line://a", whole=True, alone=True)


def test_a_line_that_was_cut_is_made_anew():
    """What was kept is not what fails; it is asked once more, of another."""
    made: list[Line] = []
    storage = over(made)
    assert [4, 4, 1] == [storage.size("b"), storage.size("c"), len(made)]
    made[0].cut = True
    assert (4, 2) == (storage.size("b"), len(made))


def test_a_line_that_cannot_be_made_is_an_error():
    """After the first try that is new."""
    made: list[Line] = []
    Line.cut = True
    try:
        with pytest.raises(EOFError):
            over(made).size("b")
    finally:
        Line.cut = False
    assert 1 == len(made)


def test_of_two_that_make_a_name_at_once_one_is_told_so():
    """S3 may refuse both ways: by what is there, and by what is being made."""
    assert not over([]).create("leases/x/1", b"1")


def test_a_listing_that_fails_is_no_short_one(tmp_path, monkeypatch):
    """Who sweeps by it would take the rest for gone."""
    storage = open_fsspec(f"local://{tmp_path}")
    storage.write("objects/ab/cd", b"1")

    def refuse(*_, **__):
        raise PermissionError(13, "no")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(PermissionError):
        list(storage.list("objects"))
