"""What a recipe is drafted to say."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.sorts import save_pictures, save_sort
from trtbuild import api
from trtbuild.recipe.load import load_recipe


@pytest.fixture
def recipe_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def made(sort, **more):
        save_sort(sort, tmp_path)
        return load_recipe(api.init(f"{sort}.onnx", **more).file).recipe

    return made


def test_random_data_has_no_gates(recipe_of):
    """It proves nothing."""
    recipe = recipe_of("cnn")

    assert () == recipe.compare.gates
    assert recipe.data["calib"].seed != recipe.data["eval"].seed


@pytest.mark.parametrize(
    ("sort", "count", "kind"), [("cnn", 80, "auto"), ("cnn", 8, "minmax"), ("vit", 80, "auto")]
)
def test_a_calibrator_suits_the_model_and_the_data(sort, count, kind, recipe_of, tmp_path):
    """Nothing is clipped by few samples, of a transformer neither more nor less than of others."""
    save_pictures(tmp_path / "pictures", count, side=8)

    assert kind == recipe_of(sort, data="pictures").quantization.calibrator.kind


def test_labels_are_taken_where_folders_are_as_many_as_scores(recipe_of, tmp_path):
    """Ten of ten; two would be numbered wrongly, and nothing says so."""
    for index in range(10):
        save_pictures(tmp_path / f"ten/{index}", 2, side=8)
        if index < 2:
            save_pictures(tmp_path / f"two/{index}", 2, side=8)
    ten, two = recipe_of("cnn", data="ten"), recipe_of("cnn", data="two", force=True)

    assert ("folders", None) == (ten.data["eval"].labels, two.data["eval"].labels)
    assert "top1" in ten.compare.metrics
    assert "top1" not in two.compare.metrics


def test_inputs_that_no_sample_brings_are_filled(recipe_of, tmp_path):
    """Those of the second picture of two, and first states."""
    save_pictures(tmp_path / "pictures", 4, side=8)

    assert 0 == recipe_of("two", data="pictures").inputs["right"].fill
    assert {"h0", "c0", "x"} == set(recipe_of("lstm").inputs)
    assert 1 == recipe_of("lstm", force=True).inputs["x"].batch_axis


def test_a_drop_is_gated_where_the_samples_can_show_it(recipe_of):
    """Of 200 with labels one is half a point."""
    values = {
        f"{name}.npz": {"x": np.zeros((200, 1, 28, 28), np.float32), "y": np.zeros(200, np.int64)}
        for name in ("calib", "eval")
    }
    import pathlib

    pathlib.Path("arrays").mkdir()
    for name, arrays in values.items():
        np.savez(f"arrays/{name}", **arrays)
    recipe = recipe_of("fixed", data="arrays")

    assert ["sqnr_db", "top1"] == [gate.metric for gate in recipe.compare.gates]


def test_a_quantized_model_stays_as_it_is(tmp_path, monkeypatch):
    """It has its Q/DQ pairs already."""
    import onnx

    from tests.helpers.models import model_of

    monkeypatch.chdir(tmp_path)
    text = """g (float[n, 3] x) => (float[n, 3] y) <float s = {0.1}, int8 z = {0}> {
      q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)  y = Relu(d)
    }"""
    onnx.save(model_of(text), "m.onnx")

    assert load_recipe(api.init("m.onnx").file).recipe.quantization is None


def test_a_detector_is_offered_its_head_in_float(tmp_path, monkeypatch):
    """As a comment; without that mark it is a line of the recipe."""
    import onnx

    from tests.helpers.models import model_of

    monkeypatch.chdir(tmp_path)
    text = """g (float[n, 3, 64, 64] image) => (float[n, 9, 84] boxes)
    <float[9, 3, 1, 1] w = {VALUES}, int64[3] shape = {0, 9, -1},
     int64[1] first = {0}, int64[1] last = {84}, int64[1] axis = {2}> {
      maps = Conv(image, w)  flat = Reshape(maps, shape)  boxes = Slice(flat, first, last, axis)
    }"""
    onnx.save(model_of(text.replace("VALUES", ", ".join(["0.5"] * 27))), "m.onnx")
    path = api.init("m.onnx").file
    path.write_text(path.read_text().replace("# protect: [", "protect: ["))

    assert ("detection_head",) == load_recipe(path).recipe.quantization.protect
