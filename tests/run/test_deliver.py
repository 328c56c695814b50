"""Results appear in the build directory whole, and only where they changed."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import NotWritable
from trtbuild.run.deliver import deliver, prepare


@pytest.fixture
def model(store, tmp_path):
    (tmp_path / "m").write_text("model")
    return store.add(tmp_path / "m", "model", move=True)


def delivered(directory, store, artifacts, *, basis="1", whole=True, page="report"):
    prepare(directory)
    pages = {"report.md": lambda: page}
    return deliver(directory, store, artifacts=artifacts, pages=pages, basis=basis, whole=whole)


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
        prepare(tmp_path / "file" / "face")
    assert "--build-dir" in caught.value.hint
