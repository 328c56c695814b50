"""Arrays, a file a sample."""

from __future__ import annotations

import numpy as np

from tests.helpers.sorts import save_sort
from trtbuild import api
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.ready import list_problems


def test_many_files_are_a_sample_each_where_their_arrays_lack_an_axis(tmp_path, monkeypatch):
    """And are parted by their names."""
    monkeypatch.chdir(tmp_path)
    save_sort("cnn", tmp_path)
    (tmp_path / "arrays").mkdir()
    for index in range(6):
        np.save(tmp_path / f"arrays/{index}.npy", np.zeros((3, 32, 32), np.float32))
    file = api.init("cnn.onnx", data="arrays").file
    calib, other = load_recipe(file).recipe.data.values()

    assert () == list_problems(file)
    assert (True, True, "image") == (calib.one_a_file, other.one_a_file, calib.input)
    assert calib.path != other.path
