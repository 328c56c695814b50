"""Preprocessing, by metadata and by guess."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.values import TensorSpec
from trtbuild.verbs.init.feeding import find_fed_inputs
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.pictures import choose_preprocessing, read_picture_facts

PROCESSOR = {
    "do_resize": True, "size": {"shortest_edge": 256}, "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224}, "do_rescale": True, "rescale_factor": 1 / 255,
    "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25],
    "resample": 3,
}  # fmt: skip
TIMM = {
    "pretrained_cfg": {
        "input_size": [3, 224, 224], "crop_pct": 0.9, "interpolation": "bicubic",
        "mean": [0.1, 0.2, 0.3], "std": [1.0, 1.0, 1.0],
    }
}  # fmt: skip


def options(task="", shape=("n", 3, 224, 224), dtype="float32", **look):
    spec = TensorSpec(name="x", dtype=dtype, shape=shape)
    looked = ModelLook("m", (), inputs=(spec,), **look)
    (fed,) = find_fed_inputs(looked)
    size = [shape[axis] for axis in fed.plane_axes]
    made = choose_preprocessing(fed, size, looked, read_picture_facts(looked), task)
    return dict(made.options), made.guessed


def test_a_classifier_is_guessed_to_be_of_imagenet():
    """Marked as a guess."""
    found, guessed = options("classification")

    assert guessed
    assert (256, [224, 224]) == (found["resize"], found["crop"])
    assert [0.485, 0.456, 0.406] == found["mean"]


def test_anything_else_gets_pixels_from_0_to_1():
    """Stretched to its size, gray where it has one channel, channels last where it has them so."""
    assert {"resize": [224, 224]} == options()[0]
    gray = options("classification", (1, 1, 28, 28))[0]
    assert {"color": "gray", "resize": [28, 28]} == gray
    assert {"resize": [64, 96], "layout": "hwc"} == options(shape=(1, 64, 96, 3))[0]


def test_what_ultralytics_writes_into_a_file_counts():
    """Neither mean nor deviation."""
    told = {"author": "Ultralytics", "task": "detect", "imgsz": "[224, 224]", "stride": "32"}
    found, guessed = options("detection", metadata=told)

    assert ({"resize": [224, 224], "fit": "letterbox"}, False) == (found, guessed)


def test_what_transformers_and_timm_lay_beside_a_model_counts(tmp_path):
    """In its folder, or the one above."""
    (tmp_path / "onnx").mkdir()
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    found, _ = options("classification", folder=tmp_path / "onnx")
    assert {
        "resize": 256, "crop": [224, 224], "interpolation": "bicubic",
        "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25],
    } == found  # fmt: skip

    (tmp_path / "preprocessor_config.json").unlink()
    (tmp_path / "config.json").write_text(json.dumps(TIMM))
    found, _ = options("classification", folder=tmp_path)
    assert (248, [224, 224], [0.1, 0.2, 0.3]) == (found["resize"], found["crop"], found["mean"])


def test_a_model_that_scales_pixels_itself_gets_them_whole():
    """Divided twice they would be next to nothing."""
    found, _ = options("classification", scales_pixels=frozenset("x"))

    assert {"resize": 256, "crop": [224, 224], "scale": 1.0} == found
    blue, _ = options("classification", blue_first=frozenset("x"))
    assert "bgr" == blue["color"]


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[1, 'a']", "1e999", '{"mean": [1]}'])
def test_metadata_of_any_sort_does_no_harm(text):
    """It says nothing, or what it says."""
    told = {"mean": text, "std": text, "pretrained_cfg": text}

    assert options(metadata=told)[0]["resize"] == [224, 224]
