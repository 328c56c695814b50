"""Pictures as YOLO and COCO describe them, and videos."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest

from tests.helpers.sorts import save_pictures, save_sort
from trtbuild import api
from trtbuild.core.errors import UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.ready import list_problems


@pytest.fixture
def data_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_sort("cnn", tmp_path)

    def found(place):
        file = api.init("cnn.onnx", data=place, force=True).file
        assert () == list_problems(file)
        return load_recipe(file).recipe.data

    return found


def test_a_data_yaml_says_which_pictures_are_for_what(data_of, tmp_path):
    """In a folder, or named itself."""
    for split in ("train", "val"):
        save_pictures(tmp_path / f"set/images/{split}", 2)
        (tmp_path / f"set/labels/{split}").mkdir(parents=True)
        for index in range(2):
            (tmp_path / f"set/labels/{split}/img_{index}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    text = "path: .\ntrain: images/train\nval: images/val\nnames: {0: thing}\n"
    (tmp_path / "set/data.yaml").write_text(text)
    for place in ("set", "set/data.yaml"):
        found = data_of(place)

        assert [("yolo", "train"), ("yolo", "val")] == [
            (each.kind, each.split) for each in found.values()
        ]


def test_splits_that_are_the_same_pictures_are_parted(data_of, tmp_path):
    """As in the small sets that people try first; one split alone is parted too."""
    save_pictures(tmp_path / "set/images", 4)
    (tmp_path / "set/labels").mkdir()
    for index in range(4):
        (tmp_path / f"set/labels/img_{index}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    for told in ("train: images\nval: images\n", "train: images\n"):
        (tmp_path / "set/data.yaml").write_text(f"path: .\n{told}names: {{0: thing}}\n")
        found = data_of("set").values()

        assert [("train", "1/2"), ("train", "2/2")] == [(each.split, each.part) for each in found]


def test_of_the_annotations_of_coco_those_of_boxes_are_taken(data_of, tmp_path):
    """Not captions or joints, which lie beside them; one file alone is parted."""
    save_pictures(tmp_path / "coco/val2017", 4)
    images = [{"id": i, "file_name": f"img_{i}.png", "height": 40, "width": 40} for i in range(4)]
    told = json.dumps(
        {"images": images, "annotations": [], "categories": [{"id": 1, "name": "thing"}]}
    )
    for name in ("captions", "instances", "person_keypoints"):
        (tmp_path / f"coco/{name}_val2017.json").write_text(told)
    found = data_of("coco").values()

    assert {"coco/instances_val2017.json"} == {each.path for each in found}
    assert ["1/2", "2/2"] == [each.part for each in found]


def test_annotations_of_coco_name_their_pictures(data_of, tmp_path):
    """Which lie near them."""
    for split in ("train", "val"):
        save_pictures(tmp_path / f"coco/{split}2017", 2)
        told = {
            "images": [
                {"id": index, "file_name": f"img_{index}.png", "height": 40, "width": 40}
                for index in range(2)
            ],
            "annotations": [],
            "categories": [{"id": 1, "name": "thing"}],
        }
        (tmp_path / "coco/annotations").mkdir(exist_ok=True)
        (tmp_path / f"coco/annotations/instances_{split}2017.json").write_text(json.dumps(told))
    found = data_of("coco/annotations")

    assert ["coco/train2017", "coco/val2017"] == [each.pictures for each in found.values()]


def test_one_video_is_parted_by_its_middle(data_of, tmp_path):
    """So that no frame is in both."""
    with av.open(str(tmp_path / "clip.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for index in range(20):
            pixels = np.full((32, 32, 3), index * 10, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    calib, other = data_of("clip.mp4").values()

    assert ("video", 1.0, 1.0) == (calib.kind, calib.end, other.start)


def test_several_videos_are_parted_by_their_names(data_of, tmp_path):
    """Not by their frames: neighbours are much alike."""
    (tmp_path / "clips").mkdir()
    for index in range(4):
        (tmp_path / f"clips/{index}.mp4").touch()
    calib, other = data_of("clips").values()

    assert ("clips/*[02].mp4", "clips/*[!02].mp4") == (calib.path, other.path)


def test_annotations_without_pictures_are_refused(data_of, tmp_path):
    """Nobody knows where they lie."""
    told = {"images": [{"id": 1, "file_name": "gone.png"}], "annotations": []}
    (tmp_path / "a.json").write_text(json.dumps(told))
    with pytest.raises(UsageError, match="lies in no folder near it"):
        data_of("a.json")
