"""What MODEL may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.sorts import save_sort
from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.models import ModelRequest, look_at_model, place_beside


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("m.plan", "trtbuild inspect"), ("m.yaml", "trtbuild apply"), ("m.h5", "tf2onnx"),
        ("m.tflite", "tf2onnx"), ("m.keras", "format='onnx'"), ("m.py", "FILE.py:FUNCTION"),
        ("m.xyz", "an ONNX file"),
    ],
)  # fmt: skip
def test_other_files_are_refused_with_a_way_to_come_from_them(name, hint, tmp_path):
    """The tool that converts them is named."""
    (tmp_path / name).write_bytes(b"x" * 16)
    with pytest.raises(UsageError) as raised:
        look_at_model(ModelRequest(str(tmp_path / name), tmp_path))

    assert hint in raised.value.hint


def test_inputs_are_told_of_modules_alone(tmp_path):
    """A file says what it takes."""
    path = save_sort("cnn", tmp_path)
    with pytest.raises(UsageError, match="--input is for a module"):
        look_at_model(ModelRequest(str(path), tmp_path, inputs=("x=1,2",)))


def test_a_folder_of_hugging_faces_has_a_model_in_it(tmp_path):
    """At its top, or in onnx/."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="holds no ONNX file, and no weights"):
        look_at_model(ModelRequest(str(tmp_path), tmp_path))
    save_sort("cnn", tmp_path).rename(tmp_path / "model.onnx")
    found = look_at_model(ModelRequest(str(tmp_path), tmp_path))

    assert (tmp_path.name, "model.onnx") == (found.name, found.section[1].value)


def test_a_path_relates_to_the_recipe_unless_it_is_far_away():
    """Three folders up, or more, it stays as it is."""
    assert "../m.onnx" == place_beside(Path("/a/m.onnx"), Path("/a/b"))
    assert "/a/m.onnx" == place_beside(Path("/a/m.onnx"), Path("/x/y/z"))
