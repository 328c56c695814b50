"""Data sets that a JSON file of COCO's format describes."""

from __future__ import annotations

import json

import pytest

from tests.helpers.sources import picture, source_of
from trtbuild.core.errors import MissingFile, StepInputError

FILE = {
    "images": [
        {"id": number, "file_name": f"{number}.png", "width": 8, "height": 6} for number in (9, 2)
    ],
    "categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car"}],
    "annotations": [{"id": 1, "image_id": 9, "category_id": 18, "bbox": [1, 2, 3, 4]}],
}


def coco(extra=""):
    return source_of(
        '{"kind": "coco", "path": "a.json", "pictures": "val", "preprocess": {"resize": [12, 8]}'
        + extra
        + "}"
    )


@pytest.fixture
def folder(tmp_path):
    for name in ("2", "9", "unannotated"):
        picture(tmp_path / "val" / f"{name}.png")
    (tmp_path / "a.json").write_text(json.dumps(FILE))
    return tmp_path


def test_those_that_are_annotated_are_taken(folder):
    """In the order of their names, with their boxes where the model sees them."""
    source = coco()
    reader = source.find_label_kind().open(source.find_label_files(folder))

    assert [folder / "val/2.png", folder / "val/9.png"] == list(source.find_files(folder))
    assert ("car", "dog") == source.find_class_names(folder)
    row = reader("9.png", source.preprocess.view(8, 6)).tolist()
    assert [[1, 1, 4, 4, 12, 8, 12, 0]] == row


def test_what_is_not_there_is_named(folder):
    """A picture that is asked for; one that is not taken may be missing. And the file."""
    (folder / "val/9.png").unlink()

    with pytest.raises(MissingFile, match=r"9\.png: no such file; .*a\.json names it"):
        coco().find_files(folder)
    assert 1 == len(coco(', "count": 1').find_files(folder))
    (folder / "a.json").write_text("[")
    with pytest.raises(StepInputError, match=r"a\.json: is not JSON"):
        coco().find_files(folder)
    (folder / "a.json").unlink()
    with pytest.raises(MissingFile, match=r"a\.json: no such file"):
        coco().find_files(folder)
