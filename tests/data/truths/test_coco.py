"""COCO's file of annotations."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.data.preprocess import Preprocess
from trtbuild.data.truths.coco import Coco

VIEW = Preprocess().view(100, 200)
FILE = {
    "info": {},
    "images": [{"id": 7, "file_name": "1.jpg", "width": 100, "height": 200, "license": 1}],
    "categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 18, "bbox": [10, 20, 20, 40], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 5.5, 5], "iscrowd": 1},
    ],
}


def read(folder, file=FILE, *, name="val/1.jpg", view=VIEW, classes=None):
    (folder / "a.json").write_text(file if isinstance(file, str) else json.dumps(file))
    if classes:
        (folder / "classes.txt").write_text(classes)
    labels = Coco(kind="coco", path="a.json", classes="classes.txt" if classes else None)
    return labels.open(labels.find_files(folder, [name]))(name, view).tolist()


def test_categories_count_in_the_order_of_their_ids(tmp_path):
    """3 is class 0, 18 is class 1; a crowd is one."""
    assert [
        [1, 10, 20, 30, 60, 100, 200, 0],
        [0, 0, 0, 5.5, 5, 100, 200, 1],
    ] == read(tmp_path)


def test_or_in_that_of_a_file_of_names(tmp_path):
    """As the model has them."""
    assert [1, 2] == [row[0] for row in read(tmp_path, classes="cat\ndog\ncar\n")]


@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        ({}, {"name": "2.jpg"}, "2.jpg: is none of the 1 pictures in"),
        (
            {},
            {"view": Preprocess().view(50, 100)},
            "val/1.jpg: is 50x100 pixels, and 100x200 in",
        ),
        ({}, {"classes": "cat\ncar\n"}, "the category `dog` is not in"),
        ({"categories": []}, {}, "the category with the id 18 is not in `categories`"),
        ({"annotations": [{"image_id": 7}]}, {}, "`annotations.0.category_id`: Field required"),
        (
            {"annotations": [{**FILE["annotations"][0], "bbox": [10, 20, -20, 40]}]},
            {},
            "`annotations.0.bbox.2`: Input should be greater than or equal to 0",
        ),
        ({"images": FILE["images"] * 2}, {}, "`images` holds the id 7 twice"),
        ({"categories": [*FILE["categories"], {"id": 3, "name": "bus"}]}, {}, "the id 3 twice"),
        (
            {"images": [*FILE["images"], {**FILE["images"][0], "id": 8}]},
            {},
            "val/1.jpg: is `1.jpg` in",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, change, options, told):
    """With what is wrong, and where."""
    with pytest.raises(StepInputError) as caught:
        read(tmp_path, {**FILE, **change}, **options)

    assert told in caught.value.message
    assert caught.value.hint


def test_an_entry_is_of_one_picture(tmp_path):
    """Of two of its name in folders of their own, nobody knows which."""
    (tmp_path / "a.json").write_text(json.dumps(FILE))
    labels = Coco(kind="coco", path="a.json")
    reader = labels.open(labels.find_files(tmp_path, []))
    reader("val/1.jpg", VIEW)

    with pytest.raises(StepInputError, match=r"^test/1.jpg: is `1.jpg` in .* so is val/1.jpg"):
        reader("test/1.jpg", VIEW)


def test_what_is_no_such_file_is_refused(tmp_path):
    """Text that is no JSON; no file."""
    with pytest.raises(StepInputError, match=r"a\.json: is not JSON"):
        read(tmp_path, "{")
    with pytest.raises(MissingFile, match=r"b\.json: no such file"):
        Coco(kind="coco", path="b.json").find_files(tmp_path, [])
