"""Only regular files are read, and no more of them than they may hold."""

from __future__ import annotations

import os

import pytest

from trtbuild.core.errors import MissingFile
from trtbuild.core.regular_files import open_regular, read_regular


def fifo(path):
    os.mkfifo(path)


def loop(path):
    path.symlink_to(path)


def absent(path):
    path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (fifo, "is a pipe or a device; a file is needed"),
        (lambda path: path.mkdir(), "is a directory; a file is needed"),
        (lambda path: path.symlink_to("/dev/zero"), "is a pipe or a device; a file is needed"),
        (loop, "Too many levels of symbolic links"),
        (absent, "no such file"),
    ],
    ids=["fifo", "directory", "device", "loop", "absent"],
)
def test_what_is_no_file_is_refused_at_once(tmp_path, make, says):
    """A pipe without a writer would be waited for; a device never ends."""
    make(tmp_path / "x")

    with pytest.raises(MissingFile) as caught:
        open_regular(tmp_path / "x", called="x", hint="look")

    assert (f"x: {says}", "look") == (caught.value.message, caught.value.hint)


def test_a_path_that_none_can_have_is_refused(tmp_path):
    """NUL ends a path, and a name has 255 bytes."""
    for name in ("a\0b", "x" * 300):
        with pytest.raises(MissingFile):
            open_regular(tmp_path / name)


def test_a_file_is_read_whole(tmp_path):
    """Through a link, too; up to the very limit."""
    (tmp_path / "x").write_bytes(b"1234")
    (tmp_path / "y").symlink_to("x")

    assert b"1234" == read_regular(tmp_path / "y", most_bytes=4)


def test_what_is_too_long_is_not_read(tmp_path):
    """A sparse file of a terabyte takes no disk; it takes no memory either."""
    with (tmp_path / "x").open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(MissingFile, match="is longer than 1 MiB, and such a file is not"):
        read_regular(tmp_path / "x", most_bytes=1 << 20)
