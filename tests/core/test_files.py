"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from trtbuild.core import files
from trtbuild.core.files import copy_whole, relate_path, remove_file, replace_whole, write_whole


@pytest.fixture(params=[0o022, 0o002, 0o077], ids=oct)
def umask(request):
    """A umask that a user may have."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_failed_write_leaves_what_was_there(tmp_path):
    """The interrupt key included."""
    write_whole(tmp_path / "x", b"old")

    with pytest.raises(KeyboardInterrupt), replace_whole(tmp_path / "x") as part:
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    assert b"old" == (tmp_path / "x").read_bytes()
    assert ["x"] == [path.name for path in tmp_path.iterdir()]


def test_a_copy_shares_nothing_with_its_source(tmp_path):
    """Whoever edits the copy does not reach the source."""
    (tmp_path / "a").write_bytes(b"source")
    copy_whole(tmp_path / "a", tmp_path / "b")

    (tmp_path / "b").write_bytes(b"edited")

    assert b"source" == (tmp_path / "a").read_bytes()


def test_a_file_is_for_those_whom_the_umask_lets(tmp_path, umask):
    """As if it had been opened and written, also where another was in its place."""
    write_whole(tmp_path / "a", b"one")
    write_whole(tmp_path / "a", b"two")
    (tmp_path / "a").chmod(0o400)
    copy_whole(tmp_path / "a", tmp_path / "b")

    assert 0o666 & ~umask == (tmp_path / "b").stat().st_mode & 0o777


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_want_of_room_is_told_of_the_file_that_was_to_be_written(tmp_path, code):
    """`shutil` blames the file that it copies from."""
    with pytest.raises(OSError, match="a full disk") as caught, replace_whole(tmp_path / "new"):
        raise OSError(code, "a full disk", "/where/it/came/from")

    assert (code, str(tmp_path / "new")) == (caught.value.errno, caught.value.filename)
    assert [] == list(tmp_path.iterdir())


def test_another_error_keeps_its_name(tmp_path):
    """What cannot be read is not what was to be written."""
    with pytest.raises(FileNotFoundError) as caught:
        copy_whole(tmp_path / "nothing", tmp_path / "new")

    assert str(tmp_path / "nothing") == str(caught.value.filename)


def test_what_windows_keeps_is_removed(tmp_path, monkeypatch):
    """There, a file that may not be written to may not be removed."""
    unlink = type(tmp_path).unlink

    def refusing(path, **options):
        if path.exists() and not path.stat().st_mode & 0o200:
            raise PermissionError(errno.EACCES, "Access is denied")
        unlink(path, **options)

    (tmp_path / "object").touch(0o400)
    monkeypatch.setattr(type(tmp_path), "unlink", refusing)
    with pytest.raises(PermissionError):
        remove_file(tmp_path / "object")
    monkeypatch.setattr(files, "WINDOWS", True)

    remove_file(tmp_path / "object")
    remove_file(tmp_path / "object")

    assert [] == list(tmp_path.iterdir())


def test_a_path_is_written_from_a_folder_on(monkeypatch):
    """Where none leads there, as on Windows to another drive, it is written whole."""
    assert "../data/a.npy" == relate_path("/home/data/a.npy", Path("/home/recipes"))

    def no_way(path, base):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", no_way)
    assert "/home/data/a.npy" == relate_path("/home/data/a.npy", Path("/home/recipes"))


def test_what_is_durable_is_on_the_disk_before_it_is_said_to_be_there(tmp_path, monkeypatch):
    """First the file, while it is still aside; then, in its place, its name in the folder."""
    path, synced = tmp_path / "it", []
    sync = os.fsync

    def seen(handle):
        synced.append((str(Path(f"/proc/self/fd/{handle}").readlink()), path.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", seen)
    write_whole(path, b"x")
    assert [] == synced
    path.unlink()
    write_whole(path, b"x", durable=True)

    assert [False, True] == [there for _, there in synced]
    assert str(tmp_path) == synced[1][0]
    assert synced[0][0].startswith(str(tmp_path / ".it."))


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path, link):
    """It is no file that somebody wrote: whoever may, would have none of it afterwards."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    path = tmp_path / ("link" if link else "pipe")

    with pytest.raises(OSError, match=f"is a pipe or a device.*{path.name}"):
        write_whole(path, b"x")

    assert ["link", "pipe"] == sorted(each.name for each in tmp_path.iterdir())
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("place", ["folder", "file/x"])
def test_a_place_that_holds_no_file_is_told_by_its_own_name(tmp_path, place):
    """And not by that of the part beside it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match=r"folder|file") as told:
        write_whole(tmp_path / place, b"x")

    assert ".part" not in str(told.value)
