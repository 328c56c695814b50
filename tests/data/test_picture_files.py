"""What all kinds of picture files share: decoding, names, and the files of their labels."""

from __future__ import annotations

import threading

import pytest

from tests.helpers.sources import picture, source_of
from trtbuild.core.errors import MissingFile
from trtbuild.data.preprocess import Preprocess


def images(extra=""):
    return source_of(f'{{"kind": "images", "path": "photos", "preprocess": {{}}{extra}}}')


def test_label_files_are_of_the_chosen_pictures(tmp_path):
    """By their names below the folder; classes are in no file of labels."""
    for name in ("a/1", "a/2", "b/3"):
        picture(tmp_path / f"photos/{name}.png")
        picture(tmp_path / f"masks/{name}.png", mode="L")
    masks = ', "labels": {"kind": "masks", "path": "masks"}'

    found = images(masks + ', "count": 2').find_label_files(tmp_path)

    assert {"a/1.png", "a/2.png"} == set(found)
    assert {} == images(', "labels": "folders"').find_label_files(tmp_path)
    assert {} == images().find_label_files(tmp_path)
    assert "masks" == images(masks).find_label_kind().kind
    assert () == images(masks).find_class_names(tmp_path)


def test_pictures_are_prepared_on_threads_ahead_of_their_reader(tmp_path, monkeypatch):
    """While one is being looked at, the next ones are decoded elsewhere; in their order."""
    for index in range(6):
        picture(tmp_path / f"photos/{index}.png", index)
    seen = set()
    apply = Preprocess.apply

    def noted(self, *args):
        seen.add(threading.current_thread().name)
        return apply(self, *args)

    monkeypatch.setattr(Preprocess, "apply", noted)
    source = images()

    found = [each.name for each in source.samples(source.find_files(tmp_path), threads=2)]

    assert [f"{index}.png" for index in range(6)] == found
    assert all(name.startswith("prefetch") for name in seen)


def test_too_few_pictures_are_an_error(tmp_path):
    """By whatever way they are named."""
    picture(tmp_path / "photos/1.png")

    with pytest.raises(MissingFile, match="holds 1 picture, and `count` asks for 2"):
        images(', "count": 2').find_names(tmp_path)
