"""Which pictures of a folder are taken, and in what order."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.helpers.sources import picture, source_of
from trtbuild.core.errors import MissingFile, StepInputError


def images(path="photos", extra=""):
    return source_of(f'{{"kind": "images", "path": "{path}", "preprocess": {{"scale": 1}}{extra}}}')


def names(source, base):
    return [path.relative_to(base).as_posix() for path in source.find_files(base)]


def test_a_folder_is_read_to_the_bottom_in_name_order(tmp_path):
    """Upper-case suffixes count; hidden files and other kinds of files do not."""
    for name in ("b.png", "a/z.JPG", "a/b.jpeg", "c.webp"):
        picture(tmp_path / "photos" / name)
    for name in ("readme.txt", "._b.png", "a/model.onnx"):
        (tmp_path / "photos" / name).write_bytes(b"")
    picture(tmp_path / "photos/.cache/d.png")

    wanted = ["photos/a/b.jpeg", "photos/a/z.JPG", "photos/b.png", "photos/c.webp"]
    assert wanted == names(images(), tmp_path)


def test_a_pattern_chooses(tmp_path):
    """`*` stays in its folder, `**` does not; other kinds of files are passed over."""
    for name in ("photos/a.png", "photos/b.jpg", "photos/deep/c.png"):
        picture(tmp_path / name)
    (tmp_path / "photos/a.txt").write_text("")

    assert ["photos/a.png", "photos/b.jpg"] == names(images("photos/*"), tmp_path)
    assert ["photos/a.png", "photos/deep/c.png"] == names(images("photos/**/*.png"), tmp_path)
    assert ["photos/a.png"] == names(images("photos/a.png"), tmp_path)


def test_paths_relate_to_the_recipe(tmp_path):
    """A folder beside the recipe's is reached by `..`; brackets in the way there are no pattern."""
    base = tmp_path / "re[ci]pes"
    base.mkdir()
    picture(tmp_path / "photos/a.png")

    assert [base / "../photos/a.png"] == list(images("../photos").find_files(base))
    assert [base / "../photos/a.png"] == list(images("../photos/*.png").find_files(base))


def test_a_count_takes_from_all_folders(tmp_path):
    """Two of four, in folders by class, are one of each class."""
    for name in ("cats/1.png", "cats/2.png", "dogs/1.png", "dogs/2.png"):
        picture(tmp_path / "photos" / name)

    wanted = ["photos/cats/1.png", "photos/dogs/1.png"]
    assert wanted == names(images(extra=', "count": 2'), tmp_path)


@pytest.mark.parametrize("path", ["photos", "photos/*.png"])
def test_too_few_pictures_are_an_error_at_once(tmp_path, path):
    """The plan already says so."""
    picture(tmp_path / "photos/a.png")

    with pytest.raises(MissingFile, match=r"photos.*: holds 1 picture, and `count` asks for 2"):
        images(path, ', "count": 2').find_files(tmp_path)


@pytest.mark.parametrize("path", ["photos", "photos/*"])
def test_a_folder_without_pictures_is_an_error(tmp_path, path):
    """The hint says what counts as one."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.txt").write_text("")

    with pytest.raises(MissingFile, match="holds no pictures") as caught:
        images(path).find_files(tmp_path)

    assert ".jpeg" in caught.value.hint


def test_samples_are_named_by_their_place(tmp_path):
    """Relative to what they have in common, so that messages are short."""
    for name in ("a/1.png", "b/1.png"):
        picture(tmp_path / "photos" / name)
    source = images()

    samples = list(source.samples(source.find_files(tmp_path)))

    assert ["a/1.png", "b/1.png"] == [sample.name for sample in samples]
    assert [(3, 6, 8)] * 2 == [sample.arrays["input"].shape for sample in samples]


def test_pictures_come_out_preprocessed(tmp_path):
    """What the recipe asks for is applied, under the name of the model's input."""
    picture(tmp_path / "photos/a.png", 51)
    source = source_of(
        '{"kind": "images", "path": "photos", "input": "x",'
        ' "preprocess": {"crop": [2, 2], "color": "gray"}}'
    )

    (sample,) = source.samples(source.find_files(tmp_path))

    np.testing.assert_array_equal(np.full((1, 2, 2), np.float32(0.2)), sample.arrays["x"])


def test_a_corrupt_picture_is_named(tmp_path):
    """The other pictures before it are read; it is an error, never passed over."""
    picture(tmp_path / "photos/a.png")
    (tmp_path / "photos/b.png").write_bytes(b"no picture")
    source = images()
    samples = source.samples(source.find_files(tmp_path))

    assert "a.png" == next(samples).name
    with pytest.raises(StepInputError, match=r"^b.png: is not a picture"):
        next(samples)


def test_a_picture_that_vanished_is_named(tmp_path):
    """Its whole path, since it may be the folder that went."""
    path = picture(tmp_path / "photos/a.png")
    path.unlink()

    with pytest.raises(StepInputError, match=r"photos/a.png: no such file"):
        list(images().samples([path]))


def test_a_name_that_is_no_text_is_said(tmp_path):
    """Linux takes any bytes for a name; a manifest cannot hold them."""
    picture(tmp_path / "photos/a.png").rename(tmp_path / "photos" / os.fsdecode(b"\xff.png"))

    with pytest.raises(MissingFile, match=r"the name of the picture '\\udcff.png' is not UTF-8"):
        images().find_files(tmp_path)


def test_folders_label_their_pictures(tmp_path):
    """By the first folder below the path, of a pattern the nearest; all count, if few come."""
    for name in ("cats/1.png", "cats/old/2.png", "dogs/1.png", "emus/1.png"):
        picture(tmp_path / "photos" / name)
    (tmp_path / "names.txt").write_text("emus\ndogs\ncats\n")
    by_folder = ', "labels": "folders"'

    assert (0, 0, 1, 2) == images(extra=by_folder).find_labels(tmp_path)
    assert (0, 1) == images(extra=by_folder + ', "count": 2').find_labels(tmp_path)
    assert (0, 3, 1, 2) == images("photos/**/*.png", by_folder).find_labels(tmp_path)
    named = images(extra=by_folder + ', "classes": "names.txt"')
    assert (2, 2, 1, 0) == named.find_labels(tmp_path)
    assert () == images().find_labels(tmp_path)


def test_a_list_is_read_in_its_order(tmp_path):
    """A path a line, relative to the list; labels by folders are by the nearest."""
    for name in ("b/1.png", "a/1.png", "a/2.png"):
        picture(tmp_path / "photos" / name)
    (tmp_path / "photos/train.txt").write_text("./b/1.png\r\n\na/2.png\n")
    source = images("photos/train.txt", ', "labels": "folders"')

    assert ["photos/b/1.png", "photos/a/2.png"] == names(source, tmp_path)
    assert ("b/1.png", "a/2.png") == source.find_names(tmp_path)
    assert (1, 0) == source.find_labels(tmp_path)
    assert ("a", "b") == source.find_class_names(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"a.png\nb.png\n", r"list.txt:2: .*b.png: no such file"),
        (b"\n", "list.txt: lists no pictures"),
        (b"\xff", "list.txt: is not UTF-8 text"),
        (None, "list.txt: no such file"),
    ],
)
def test_a_list_of_what_is_not_there_is_refused(tmp_path, text, told):
    """With the line."""
    picture(tmp_path / "a.png")
    if text is not None:
        (tmp_path / "list.txt").write_bytes(text)

    with pytest.raises(MissingFile, match=told):
        images("list.txt").find_files(tmp_path)


def test_classes_come_from_a_table_or_an_array(tmp_path):
    """Of those pictures that are taken; an array has a row for each picture that there is."""
    for name in ("a/1.png", "a/2.png", "b/3.png", "b/4.png"):
        picture(tmp_path / "photos" / name)
    (tmp_path / "t.csv").write_text("label,file\ndog,1\ncat,a/2.png\ncat,3.png\ndog,b/4\n")
    np.savez(tmp_path / "t.npz", labels=np.array([4, 3, 2, 1]))
    half = ', "count": 2, "labels": '

    assert (1, 0) == images(extra=half + '{"kind": "csv", "path": "t.csv"}').find_labels(tmp_path)
    assert (4, 2) == images(extra=half + '{"kind": "npz", "path": "t.npz"}').find_labels(tmp_path)
    assert {} == images(extra=half + '{"kind": "npz", "path": "t.npz"}').find_label_files(tmp_path)


def test_several_places_follow_each_other(tmp_path):
    """Folders, patterns and lists; a picture that two of them name comes once."""
    for name in ("a/x/1.png", "b/y/2.png", "b/y/3.jpg", "c/4.png"):
        picture(tmp_path / "photos" / name)
    (tmp_path / "photos/some.txt").write_text("c/4.png\nb/y/2.png\n")
    places = '["photos/b/*/*.png", "photos/some.txt", "photos/a"]'
    how = '"preprocess": {}, "labels": "folders"'
    source = source_of(f'{{"kind": "images", "path": {places}, {how}}}')

    wanted = ["photos/b/y/2.png", "photos/c/4.png", "photos/a/x/1.png"]
    assert wanted == names(source, tmp_path)
    assert (2, 0, 1) == source.find_labels(tmp_path)
    with pytest.raises(MissingFile, match="nowhere: no such folder"):
        source.model_copy(update={"path": ("photos", "nowhere")}).find_files(tmp_path)
