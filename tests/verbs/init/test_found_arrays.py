"""Arrays, a file a sample."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.sorts import save_sort
from trtbuild import api
from trtbuild.core.errors import UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.init.found_arrays import TURNED
from trtbuild.verbs.ready import list_problems


def test_many_files_are_a_sample_each_where_their_arrays_lack_an_axis(tmp_path, monkeypatch):
    """And are parted."""
    monkeypatch.chdir(tmp_path)
    save_sort("cnn", tmp_path)
    (tmp_path / "arrays").mkdir()
    for index in range(6):
        np.save(tmp_path / f"arrays/{index}.npy", np.zeros((3, 32, 32), np.float32))
    file = api.init("cnn.onnx", data="arrays").file
    calib, other = load_recipe(file).recipe.data.values()

    assert () == list_problems(file)
    assert (True, True, "image") == (calib.one_a_file, other.one_a_file, calib.input)
    assert ("1/2", "2/2") == (calib.part, other.part)


@pytest.mark.parametrize(
    ("shape", "turn"), [((8, 3, 32, 32), {}), ((8, 32, 32, 3), {"image": (2, 0, 1)})]
)
def test_one_file_is_parted_and_its_channels_brought_to_where_they_belong(
    tmp_path, monkeypatch, shape, turn
):
    """Which is marked as a guess."""
    monkeypatch.chdir(tmp_path)
    save_sort("cnn", tmp_path)
    np.save("a.npy", np.zeros(shape, np.float32))
    made = api.init("cnn.onnx", data="a.npy")
    calib, other = load_recipe(made.file).recipe.data.values()

    assert [("1/2", turn), ("2/2", turn)] == [(e.part, e.transpose) for e in (calib, other)]
    assert bool(turn) == (TURNED in made.text)


@pytest.mark.parametrize(
    ("array", "message", "hint"),
    [
        (np.zeros((8, 30, 30, 3), np.float32), r"are \[30, 30, 3\], and `image` takes", "shape"),
        (np.zeros((8, 3, 32, 32)), "are float64, and the model takes float32", "astype"),
        (np.zeros((8, 3, 32, 32), np.uint8), "are uint8, and the model takes", "embed_preprocess"),
    ],
)
def test_arrays_that_no_order_of_axes_makes_fit_are_refused(
    tmp_path, monkeypatch, array, message, hint
):
    """Before a recipe is written that would not run."""
    monkeypatch.chdir(tmp_path)
    save_sort("cnn", tmp_path)
    np.save("a.npy", array)
    with pytest.raises(UsageError, match=message) as raised:
        api.init("cnn.onnx", data="a.npy")

    assert hint in raised.value.hint
