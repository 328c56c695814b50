"""What is fed by hand is read as the recipe reads its data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.recipes import one_target
from trtbuild.core.errors import UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.running.feeding import _find_sort, _read_texts, choose_feeding, is_arrays

IMAGES = {"kind": "images", "path": "none", "input": "x", "preprocess": {"scale": 1}}
ARRAYS = {"kind": "arrays", "path": "none.npz"}


@pytest.fixture
def feeding(tmp_path):
    """Choose how a path is read, by a recipe's data."""
    red = np.zeros((4, 6, 3), np.uint8)
    red[..., 0] = 200
    for place in ("a.png", "some/b.png", "some/c.png"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        Image.fromarray(red).save(tmp_path / place)
    (tmp_path / "some/notes.txt").write_text("a line")
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.bin").touch()

    def choose(path, data, name=""):
        recipe = tmp_path / "r.yaml"
        recipe.write_text(
            one_target({"kind": "onnxruntime"}, f"data: {json.dumps(data)}\n" if data else "")
        )
        return choose_feeding(load_recipe(recipe), tmp_path / path, name)

    return choose


@pytest.mark.parametrize(("path", "names"), [("a.png", ["a.png"]), ("some", ["b.png", "c.png"])])
def test_pictures_go_through_the_recipes_preprocessing(feeding, path, names):
    """One, or those of a folder in which most files are pictures; as they were beside it."""
    found = list(feeding(path, {"photos": IMAGES}).samples())

    assert names == [each.sample.name for each in found]
    assert (3, 4, 6) == found[0].sample.arrays["x"].shape
    assert [200.0, 0.0] == found[0].sample.arrays["x"][:2, 0, 0].tolist()
    assert found[0].picture is not None
    assert [200, 0, 0] == found[0].picture[0, 0].tolist()


def test_pictures_of_one_name_are_told_apart(feeding, tmp_path):
    """By the folders in which they lie."""
    (tmp_path / "some/deep").mkdir()
    (tmp_path / "some/deep/b.png").write_bytes((tmp_path / "a.png").read_bytes())
    found = feeding("some", {"photos": IMAGES}).samples()

    assert ["b.png", "c.png", "deep/b.png"] == [each.sample.name for each in found]


def test_a_table_of_pictures_says_how_they_are_prepared(feeding, tmp_path):
    """The one column is the input; of several it is not known."""
    (tmp_path / "rows.parquet").touch()
    table = {
        "kind": "datasets",
        "path": "rows.parquet",
        "columns": {"x": "image"},
        "preprocess": {},
    }
    (found,) = feeding("a.png", {"rows": table}).samples()

    assert ["x"] == list(found.sample.arrays)
    with pytest.raises(UsageError, match="does not say how such becomes"):
        feeding("a.png", {"rows": table | {"columns": {"x": "image", "y": "other"}}})


@pytest.mark.parametrize(
    ("path", "data", "name", "told"),
    [
        ("gone.png", {"a": IMAGES}, "", "there is no such file"),
        ("x.bin", {"a": IMAGES}, "", "is of no known kind"),
        ("empty", {"a": IMAGES}, "", "holds no file of a known kind"),
        ("a.png", {"a": ARRAYS}, "", "does not say how such becomes what the model takes"),
        ("some/notes.txt", {"a": IMAGES}, "", "is text, and data `a` (`kind: images`)"),
        ("a.png", {"a": IMAGES}, "b", "there is no data `b`"),
        ("a.png", {}, "", "has no section `data`"),
    ],
)
def test_what_cannot_be_fed_is_told(feeding, path, data, name, told):
    """Nothing there, nothing known, or nothing that the recipe could make of it."""
    with pytest.raises(UsageError) as error:
        feeding(path, data, name)

    assert told in error.value.message


def test_whole_arrays_are_told_by_their_name(tmp_path):
    """An npz file, even one that is not there: then that is the error."""
    assert is_arrays(tmp_path / "x.npz")
    assert not is_arrays(tmp_path / "x.png")
    assert not is_arrays(tmp_path)


def test_lines_for_show_are_read_whatever_their_bytes(tmp_path):
    """What feeds the model says by itself that they are no UTF-8."""
    (tmp_path / "t.txt").write_bytes("Größe\n".encode("latin-1"))

    assert "Gr��e" == _read_texts((tmp_path / "t.txt",))["t.txt:1"]


@pytest.mark.parametrize("names", [("a.png", "b.txt"), ("b.txt", "a.png")])
def test_a_folder_of_as_many_of_two_sorts_is_told_alike_everywhere(tmp_path, monkeypatch, names):
    """In whatever order the file system lists what is in it."""
    monkeypatch.setattr(Path, "rglob", lambda folder, _: iter([folder / name for name in names]))

    assert "picture" == _find_sort(tmp_path)
