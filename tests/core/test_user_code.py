from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from trtbuild.core.digest import digest_of_bytes
from trtbuild.core.errors import CorruptObject
from trtbuild.core.user_code import UserCode, watch_user_code


@pytest.fixture
def watched(tmp_path):
    """Return what was observed while something was done in a project."""
    (tmp_path / "project").mkdir()
    (tmp_path / "work").mkdir()

    def observed(act, **options):
        code = UserCode(base=str(tmp_path / "project"), **options)
        with watch_user_code(code, scratch=tmp_path / "work", left_out=()) as found:
            act()
        return found

    return observed


def test_what_is_declared_counts_unread(watched, tmp_path, monkeypatch):
    """Files and variables alike."""
    monkeypatch.setenv("MY_SCALE", "1")
    (tmp_path / "project/a").write_text("1")

    found = watched(lambda: None, files=("a",), environment=("MY_SCALE",))

    digest = digest_of_bytes(b"1")
    assert {"file a": digest, "environment MY_SCALE": digest} == found.words


def test_what_lies_in_the_scratch_folder_does_not(watched, tmp_path):
    """The step made it itself."""
    (tmp_path / "work/x").write_text("1")

    assert {} == watched((tmp_path / "work/x").read_text).words


def test_a_file_that_is_read_and_written_counts_as_it_is_left(watched, tmp_path):
    """A cache of its own: read first where it is there, and written."""
    path = tmp_path / "project/cache"

    def act():
        if not path.exists():
            path.write_text("1")
        path.read_text()

    assert {"file cache": digest_of_bytes(b"1")} == watched(act).words


def test_a_file_that_changes_while_it_is_read_is_an_error(watched, tmp_path):
    """Whoever changes it, and though it be put back."""
    path, other = tmp_path / "project/a", tmp_path / "project/b"
    path.write_text("1")
    other.write_text("2")

    def act():
        path.read_text()
        subprocess.run(["/bin/mv", other, path], check=True)

    with pytest.raises(CorruptObject, match="was changed while it was read"):
        watched(act)


def test_a_folder_that_another_fills_or_empties_while_it_is_listed_is_an_error(watched, tmp_path):
    """Though all be back in the end: what was listed was something else."""
    folder = tmp_path / "project/d"
    folder.mkdir()
    for name in ("1", "2"):
        (folder / name).touch()
    subprocess.run(["/bin/mv", folder / "1", tmp_path / "away"], check=True)

    def act():
        list(folder.iterdir())
        subprocess.run(["/bin/mv", tmp_path / "away", folder / "1"], check=True)

    with pytest.raises(CorruptObject, match="what lies in it changed while it was listed"):
        watched(act)


def test_what_the_code_itself_puts_into_a_folder_is_no_change(watched, tmp_path):
    """A cache beside the data, or a file that it makes and removes."""
    folder = tmp_path / "project/d"
    folder.mkdir()

    def act():
        list(folder.iterdir())
        (folder / "made").mkdir()
        (folder / "cache").write_text("1")
        (folder / "gone").write_text("1")
        (folder / "gone").unlink()

    assert "folder d" in watched(act).words


def test_the_import_path_and_modules_of_the_user_s_are_forgotten(watched, tmp_path):
    """The next step loads them anew."""
    (tmp_path / "project/lib").mkdir()
    (tmp_path / "project/lib/forgotten.py").write_text("")
    before = list(sys.path)

    def act():
        sys.path.insert(0, str(tmp_path / "project/lib"))
        __import__("forgotten")

    found = watched(act)

    assert "file lib/forgotten.py" in found.words
    assert before == sys.path
    assert "forgotten" not in sys.modules


def test_packages_without_an_init_are_forgotten_whole(watched, tmp_path, monkeypatch):
    """One within another asks its parent where it lies."""
    (tmp_path / "project/outer_x/inner_x").mkdir(parents=True)
    (tmp_path / "project/outer_x/inner_x/leaf_x.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "project"))

    watched(lambda: importlib.import_module("outer_x.inner_x.leaf_x"))

    assert [] == [name for name in sys.modules if name.startswith("outer_x")]
