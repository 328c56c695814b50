"""What a locked build does where data is not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.plans import plan_with
from trtbuild.core.errors import MissingFile
from trtbuild.plan.absent_data import (
    belongs,
    drop_absent_data,
    find_absent_data,
    list_unmeasured,
)
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text

RECIPE = """\
version: 1
name: small
model: {kind: onnx, path: m.onnx}
data:
  calib: {kind: images, path: "photos/**/*.jpg", preprocess: {}}
  eval: {kind: arrays, path: ./eval.npz}
  folder: {kind: images, path: pictures, preprocess: {}}
  code: {kind: python, entrypoint: gone.py:samples}
quantization: {data: calib, calibrator: {kind: minmax}}
targets:
  it: {kind: onnxruntime}
compare: {data: eval}
"""


@pytest.fixture
def recipe():
    return check_source(Path("r.yaml"), parse_recipe_text("r.yaml", RECIPE.encode())).recipe


def test_data_is_absent_where_its_files_are(recipe, tmp_path):
    """Each with the reason; code that yields samples is a part of the recipe, and no data."""
    (tmp_path / "eval.npz").touch()

    found = find_absent_data(recipe, tmp_path)

    assert ["calib", "folder"] == sorted(found)
    assert "no such folder" in found["folder"]


@pytest.mark.parametrize(
    ("expected", "file"),
    [
        (True, "eval.npz"),
        (True, "pictures/cats/1.png"),
        (False, "pictures2/1.png"),
        (True, "photos/1.jpg"),
        (True, "photos/cats/1.jpg"),
        (False, "photos/1.png"),
        (False, "m.onnx"),
    ],
)
def test_a_file_belongs_to_the_data_that_its_path_lies_in(recipe, expected, file):
    """Under a folder, or met by a pattern."""
    assert expected == belongs(file, recipe, {"calib", "eval", "folder"})


def test_data_that_is_here_has_all_its_files(recipe):
    """Only what is absent is passed over."""
    assert not belongs("eval.npz", recipe, {"calib"})


def test_steps_that_only_measure_go_with_their_data():
    """What remains does not read it, not even in a roundabout way."""
    plan = plan_with().cut_after(("calibrate",))

    left = drop_absent_data(plan, {"calib": "calib.npz: no such file"})

    assert ["import_model", "fix_graph"] == [step.name for step in left.steps]
    assert plan.steps == drop_absent_data(plan, {}).steps


def test_what_is_made_from_the_data_cannot_do_without():
    """The data that is missing is named, for the engine stands on it."""
    with pytest.raises(MissingFile, match=r"calib\.npz: no such file; a locked build needs it too"):
        drop_absent_data(plan_with(), {"calib": "calib.npz: no such file"})


def test_what_was_not_measured_is_said(recipe):
    """That ranges are the lock's, and that no gate was judged; nothing where all is here."""
    assert () == list_unmeasured(recipe, {"folder"})

    ranges, compared = list_unmeasured(recipe, {"calib", "eval"})

    assert "its ranges are the lock's" in ranges
    assert "the gates were not judged" in compared
