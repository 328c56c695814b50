"""Folders are replaced whole, or not at all."""

from __future__ import annotations

import zipfile

import pytest

from trtbuild.core.errors import NotWritable
from trtbuild.verbs.packaging.writing import replace_folder, say_unwritable, write_archive


def test_what_fails_leaves_what_was_there(tmp_path):
    """And nothing beside it."""
    folder = tmp_path / "to"
    folder.mkdir()
    (folder / "a").write_text("old")

    with pytest.raises(KeyError), replace_folder(folder) as part:
        (part / "a").write_text("new")
        raise KeyError

    assert ["to"] == [each.name for each in tmp_path.iterdir()]
    assert "old" == (folder / "a").read_text()


def test_an_archive_opens_elsewhere(tmp_path):
    """With its files readable, in one order."""
    (tmp_path / "big").write_bytes(b"b" * 10)
    write_archive(tmp_path / "x.zip", {"b": tmp_path / "big", "a": b"1"})

    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert ["a", "b"] == archive.namelist()
        assert b"b" * 10 == archive.read("b")
        assert 0o644 == archive.getinfo("a").external_attr >> 16


def test_what_the_system_refuses_is_an_error_of_ours(tmp_path):
    """With the file named."""
    with pytest.raises(NotWritable, match="No space left"), say_unwritable(tmp_path):
        raise OSError(28, "No space left on device", "x")
