"""Files that a recipe names: one, those below a folder, by a pattern, in a list."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import MissingFile
from trtbuild.core.watch import Watch
from trtbuild.data.file_search import find_by_suffix, find_named_files, read_list


def find(path, base):
    return [
        each.relative_to(base).as_posix()
        for each in find_by_suffix(path, base, {".wav"}, what="sounds")
    ]


@pytest.fixture
def folder(tmp_path):
    for name in ("b.WAV", "deep/a.wav", "deep/c.txt", ".hidden.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_a_pattern_or_one_file(folder):
    """Those of the kind, in name order; one file that is named may be called anything."""
    assert ["b.WAV", "deep/a.wav"] == find(".", folder)
    assert ["deep/a.wav"] == find("*/*", folder)
    assert ["deep/c.txt"] == find("deep/c.txt", folder)


def test_a_file_that_is_there_is_no_pattern(folder):
    """Where a name has brackets, the file of that name comes before what a pattern would find."""
    for name in ("x[1].wav", "x1.wav"):
        (folder / name).touch()
    names = find_named_files(
        "x[1].wav", folder, lambda name: name.endswith(".wav"), what="sounds", hint=""
    )

    assert (folder, ["x[1].wav"]) == names


@pytest.mark.parametrize(
    ("path", "told"),
    [("none", "none: no such folder"), ("deep/*.txt", "holds no sounds"), ("*.mp3", "holds no")],
)
def test_nothing_is_an_error(folder, path, told):
    """With how such files are known."""
    with pytest.raises(MissingFile, match=told):
        find(path, folder)


def test_a_list_is_looked_at_with_what_it_lists(folder):
    """Whoever watches hears of a file that goes."""
    (folder / "list.txt").write_text("./deep/a.wav\n")

    with Watch() as watch:
        assert ["deep/a.wav"] == read_list(folder / "list.txt", what="sounds")

    assert {str(folder / "list.txt"), str(folder / "deep/a.wav")} <= set(watch.looks)
