from __future__ import annotations

import importlib.util
import os
import stat
import sys

import pytest

from trtbuild.core.asking import asking

NATIVE = sys.modules[os.stat.__module__]
"""`posix`, or `nt`: where `os` has it from."""


@pytest.fixture
def asked(tmp_path):
    """Return what is said to have been asked while something is done, by names in the folder."""

    def said(act):
        found = set()
        with asking(
            lambda what, path: found.add(
                (what, os.path.relpath(path.rpartition(" ")[2], tmp_path))
            ),
            lambda name: found.add(("module", name)),
        ):
            act()
        return found

    return said


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_text("1")
    return path


WAYS = [
    ({"asked"}, lambda path: path.exists()),
    ({"asked"}, lambda path: os.access(path, os.F_OK)),
    ({"asked", "accesses"}, lambda path: os.access(path, os.R_OK)),
    ({"asked", "sizes"}, lambda path: NATIVE.stat(path).st_size),
    ({"asked", "modes"}, lambda path: path.stat().st_mode & 0o111),
    ({"asked"}, lambda path: stat.S_ISREG(path.stat().st_mode)),
    ({"asked", "sizes"}, lambda path: path.stat().st_size),
    ({"asked", "sizes"}, os.path.getsize),
    ({"asked", "times"}, lambda path: path.stat().st_mtime),
    ({"asked", "times"}, os.path.getmtime),
    ({"asked", "sizes", "times"}, lambda path: [path.stat()]),
    ({"links"}, lambda path: path.is_symlink()),
    ({"links"}, os.path.lexists),
]


@pytest.mark.parametrize(("expected", "act"), WAYS)
def test_tells_what_of_a_file_matters(expected, act, asked, file):
    """That it is there, how large it is, when it was changed, or whether it is a link."""
    assert {(what, "file") for what in expected} == asked(lambda: act(file))


def test_tells_where_links_are_followed(asked, file, tmp_path):
    """`latest` is no file that is opened: the name of what it leads to is all that is taken."""
    (tmp_path / "latest").symlink_to("file")

    assert ("links", "latest") in asked(lambda: [(tmp_path / "latest").readlink()])
    assert ("links", "latest") in asked(lambda: [(tmp_path / "latest").resolve()])


def test_tells_of_what_lies_in_an_open_folder(asked, file, tmp_path):
    """The folder is a number there."""
    folder = os.open(tmp_path, os.O_RDONLY)

    def act():
        os.close(os.open("file", os.O_RDONLY, dir_fd=folder))
        os.stat("other", dir_fd=folder) if os.path.lexists(file.with_name("other")) else None

    assert {("files", "file"), ("links", "other")} == asked(act)
    os.close(folder)


def test_tells_of_modules_that_are_looked_for(asked):
    """Without one, code may go on."""
    assert {("module", "nompy")} == asked(lambda: importlib.util.find_spec("nompy"))


def test_all_is_as_before_when_it_ends(asked):
    """Nobody is asked any more than needed."""
    before = os.stat, os.lstat, os.access, os.readlink, os.open, importlib.util.find_spec
    asked(lambda: None)

    assert before == (
        os.stat, os.lstat, os.access, os.readlink, os.open, importlib.util.find_spec,
    )  # fmt: skip
