"""Preprocessing that moves into the model: the fix gets it, and data gives bytes."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import RecipeError
from trtbuild.recipe.load import load_recipe

RECIPE = """\
version: 1
name: small
model: {kind: onnx, path: model.onnx}
fixes: [{kind: embed_preprocess, data: DATA}]
data:
  calib: {kind: images, path: calib, preprocess: &how {resize: [8, 8], color: bgr, mean: [0.5]}}
  eval: {kind: images, path: eval, preprocess: *how}
  other: {kind: images, path: other, preprocess: {resize: [4, 4]}}
  areas: {kind: images, path: a, preprocess: {resize: 4, resize_like: opencv, interpolation: area}}
  boxes: {kind: images, path: b, labels: {kind: yolo, path: l}, preprocess: {resize: 8, mean: [1]}}
  random: {kind: random, count: 1, inputs: {x: {shape: [3]}}}
targets: {ort: {kind: onnxruntime}}
"""


@pytest.fixture
def recipe(tmp_path):
    def load(data="calib"):
        path = tmp_path / "small.yaml"
        path.write_text(RECIPE.replace("DATA", data))
        return load_recipe(path).recipe

    return load


def test_data_that_is_preprocessed_alike_gives_bytes(recipe):
    """Resized all the same, in RGB, channels last; other data stays as it is."""
    made = recipe()
    plain = {"scale": 1.0, "mean": (), "color": "rgb", "layout": "hwc", "dtype": "uint8"}

    for name in ("calib", "eval"):
        how = made.data[name].preprocess
        assert (8, 8) == how.resize
        assert plain == {key: getattr(how, key) for key in plain}
    assert "float32" == made.data["other"].preprocess.dtype


def test_the_fix_has_what_moved(recipe):
    """As if it stood there."""
    (fix,) = recipe().fixes

    assert (None, "bgr", (0.5,), None) == (fix.data, fix.color, fix.mean, fix.resize)


def test_of_pictures_of_one_size_the_resizing_moves_too(recipe):
    """Where they lie is reckoned for that size."""
    made = recipe("calib, picture: [20, 30]")

    assert ((8, 8), (8, 8), (0, 0)) == (
        made.fixes[0].resize,
        made.fixes[0].window,
        made.fixes[0].corner,
    )
    assert made.data["eval"].preprocess.resize is None


WRONG = {
    r"there is no data `calibration`(?s:.*)did you mean `calib`\?": "calibration",
    "data `random` has no `preprocess` to move": "random",
    "data `boxes` has labels that go where pictures are resized to": "boxes, picture: [20, 30]",
    "data `areas` resizes by `area`": "areas, picture: [20, 30]",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_move_is_said_at_its_place(recipe, words):
    """With what to do."""
    with pytest.raises(RecipeError, match=words) as caught:
        recipe(WRONG[words])
    assert "small.yaml:4:" in str(caught.value)


def test_boxes_behind_are_told_the_way_back(recipe):
    """A picture of 20 x 30 lies in 8 x 8, stretched."""
    made = recipe("calib, picture: [20, 30]}, {kind: add_nms, layout: yolov8, to_picture: true")

    assert ((0.0, 0.0), (30 / 8, 20 / 8)) == (made.fixes[1].shift, made.fixes[1].stretch)
    assert not made.fixes[1].to_picture


WINDOW = "picture: [20, 30], resize: [8, 12]"


@pytest.mark.parametrize("fix", [f"kind: embed_preprocess, {WINDOW}", "kind: embed_preprocess"])
def test_labels_do_not_stay_behind(tmp_path, fix):
    """A model that resizes answers in what it resizes to; boxes of the data would be elsewhere."""
    path = tmp_path / "small.yaml"
    path.write_text(
        RECIPE.replace("kind: embed_preprocess, data: DATA", fix)
        + "compare: {data: boxes, metrics: [cosine]}\n"
    )
    if "resize" not in fix:
        assert load_recipe(path).recipe.compare
        return
    with pytest.raises(RecipeError, match="labels of data `boxes` stay where the pictures are"):
        load_recipe(path)
