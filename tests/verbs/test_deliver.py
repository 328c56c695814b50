"""Results appear in the build directory whole, and only where they changed."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path

import pytest

from trtbuild.core import files
from trtbuild.core.errors import NotWritable
from trtbuild.verbs.deliver import deliver_files, prepare_directory


@pytest.fixture
def model(store, tmp_path):
    (tmp_path / "m").write_text("model")
    return store.add(tmp_path / "m", "model", move=True)


def delivered(directory, store, artifacts, *, basis="1", whole=True, page="report"):
    prepare_directory(directory)
    pages = {"report.md": lambda: page}
    return deliver_files(
        directory, store, artifacts=artifacts, pages=pages, basis=basis, whole=whole
    )


def test_files_are_placed_once(store, tmp_path, model):
    """A second delivery of the same changes nothing."""
    first = delivered(tmp_path / "b", store, {"model.onnx": model})

    assert ("model.onnx", "report.md") == first
    assert () == delivered(tmp_path / "b", store, {"model.onnx": model})


def test_an_edited_file_is_put_right(store, tmp_path, model):
    """And the store never knows of the edit."""
    delivered(tmp_path / "b", store, {"model.onnx": model})
    (tmp_path / "b/model.onnx").write_text("edited")

    assert ("model.onnx",) == delivered(tmp_path / "b", store, {"model.onnx": model})
    assert "model" == (tmp_path / "b/model.onnx").read_text()
    assert "model" == store.object_path(model.digest).read_text()


def test_an_edit_behind_an_unchanged_time_is_put_right(store, tmp_path, model):
    """Size and modification time may be put back; the inode's own time may not."""
    delivered(tmp_path / "b", store, {"model.onnx": model})
    before = (tmp_path / "b/model.onnx").stat()
    (tmp_path / "b/model.onnx").write_text("MODEL")
    os.utime(tmp_path / "b/model.onnx", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert ("model.onnx",) == delivered(tmp_path / "b", store, {"model.onnx": model})
    assert "model" == (tmp_path / "b/model.onnx").read_text()


def test_a_page_is_rendered_when_its_basis_moves(store, tmp_path):
    """And not before."""
    delivered(tmp_path / "b", store, {}, page="one")

    assert () == delivered(tmp_path / "b", store, {}, page="two")
    assert ("report.md",) == delivered(tmp_path / "b", store, {}, basis="2", page="two")
    assert "two" == (tmp_path / "b/report.md").read_text()


def test_what_the_recipe_no_longer_makes_is_removed(store, tmp_path, model):
    """With the folder it leaves empty; but not when only some targets were asked for."""
    delivered(tmp_path / "b", store, {"old/model.engine": model})

    delivered(tmp_path / "b", store, {}, whole=False)
    assert (tmp_path / "b/old/model.engine").exists()
    delivered(tmp_path / "b", store, {})
    assert not (tmp_path / "b/old").exists()


def test_what_a_search_has_found_stays(store, tmp_path, model):
    """It is no result of the build, whose report shows it."""
    delivered(tmp_path / "b", store, {"tune.json": model}, whole=False)

    delivered(tmp_path / "b", store, {})
    assert (tmp_path / "b/tune.json").is_file()


def test_what_is_not_ours_is_left_alone(store, tmp_path, model):
    """A user's file in the build directory stays."""
    delivered(tmp_path / "b", store, {"model.onnx": model})
    (tmp_path / "b/notes.txt").write_text("mine")

    delivered(tmp_path / "b", store, {})
    assert "mine" == (tmp_path / "b/notes.txt").read_text()


def test_a_build_directory_that_cannot_be_made_is_one_error(tmp_path):
    """It names the directory and the option that chooses another."""
    (tmp_path / "file").write_text("")

    with pytest.raises(NotWritable, match="build directory") as caught:
        prepare_directory(tmp_path / "file" / "face")
    assert "--build-dir" in caught.value.hint


@pytest.mark.parametrize("full", ["model.onnx", "report.md"])
def test_a_full_build_directory_is_named(store, tmp_path, model, monkeypatch, full):
    """And not the store, which the copy is of; what was placed before stays."""
    delivered(tmp_path / "b", store, {"model.onnx": model})

    def no_room(path, *_):
        raise OSError(errno.ENOSPC, "No space left on device", str(store.object_path(model.digest)))

    (tmp_path / "b" / full).write_text("edited")
    monkeypatch.setattr(files, "_clone", no_room)
    monkeypatch.setattr(Path, "write_bytes", no_room)
    with pytest.raises(NotWritable) as caught:
        delivered(tmp_path / "b", store, {"model.onnx": model})

    expected = f"directory {tmp_path}/b cannot be written to: {full}: No space left on device"
    assert expected in caught.value.message
    assert "make room there, or choose another one with --build-dir" == caught.value.hint
    assert "edited" == (tmp_path / "b" / full).read_text()
    assert [] == list((tmp_path / "b").glob("*.part"))


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_what_is_placed_is_for_those_whom_the_umask_lets(store, tmp_path, model, umask):
    """Results, pages, and what lies beside them for the next delivery."""
    before = os.umask(umask)
    try:
        delivered(tmp_path / "b", store, {"a/model.onnx": model})
    finally:
        os.umask(before)

    placed = [path for path in (tmp_path / "b").rglob("*") if path.is_file()]
    assert 4 == len(placed)
    assert {0o666 & ~umask} == {path.stat().st_mode & 0o777 for path in placed}


def test_without_locks_results_are_placed_all_the_same(store, tmp_path, model, monkeypatch):
    """With a remark: whoever builds twice at once into one directory must know."""

    def refuse(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    (remark,) = prepare_directory(tmp_path / "b")
    assert "the build directory's file system has no locks (No locks available)" in remark
    assert "model.onnx" in delivered(tmp_path / "b", store, {"model.onnx": model})


@pytest.mark.parametrize("form", ["../victim", "{}/victim", "a/../../victim", "out/victim"])
def test_a_forged_list_of_what_was_delivered_removes_nothing_elsewhere(
    store, tmp_path, model, form
):
    """Whoever made the build directory may have written it: up, absolute, or through a link."""
    directory, victim = tmp_path / "b", tmp_path / "victim"
    victim.write_text("mine")
    directory.mkdir()
    (directory / "out").symlink_to(tmp_path)
    (directory / ".trtbuild.json").write_text(json.dumps({form.format(tmp_path): ["x", 1, 2, 3]}))

    delivered(directory, store, {"model.onnx": model})

    assert "mine" == victim.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000, '{"a": 1, "": 2, "\\u0000": 3}', "[]", "{", "1e999", '{"\\ud800": 1}',
        json.dumps({"a" * 300: 1}), json.dumps({"a/" * 3000: 1}), '{"rtx": 1, ".lock": 2}',
    ],
    ids=range(9),
)  # fmt: skip
def test_a_damaged_list_costs_time_alone(store, tmp_path, model, text):
    """Everything is placed again; what no delivery can have placed is no part of one."""
    (tmp_path / "b/rtx").mkdir(parents=True)
    (tmp_path / "b/.trtbuild.json").write_text(text)

    assert "model.onnx" in delivered(tmp_path / "b", store, {"model.onnx": model})
    assert (tmp_path / "b/.lock").exists()


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to(path.parent.parent)])
def test_what_gates_refuse_is_told_of_in_a_folder_of_the_build_directory_s_own(tmp_path, make):
    """Not through a link, where it would write over what is somebody's; said before any work."""
    (tmp_path / "b").mkdir()
    make(tmp_path / "b/failed")

    with pytest.raises(NotWritable, match=r"b/failed: is .*, and a folder is needed there"):
        prepare_directory(tmp_path / "b")


def test_a_folder_in_the_place_of_a_file_is_named(store, tmp_path, model):
    """And not the file that was to be moved there."""
    (tmp_path / "b/model.onnx").mkdir(parents=True)

    with pytest.raises(NotWritable, match=r"b cannot be written to: model\.onnx: Is a directory"):
        delivered(tmp_path / "b", store, {"model.onnx": model})


def test_a_link_in_the_place_of_the_lock_is_refused(store, tmp_path, model):
    """What it leads to stays as it is."""
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/.lock").symlink_to(tmp_path / "victim")

    with pytest.raises(NotWritable, match=r"\.lock: "):
        delivered(tmp_path / "b", store, {"model.onnx": model})

    assert "mine" == (tmp_path / "victim").read_text()
