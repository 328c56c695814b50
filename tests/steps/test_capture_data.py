"""Capturing data: what is written down, what is refused, and what reading it again promises."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from PIL import Image

from tests.helpers.sources import KINDS, capture, picture, pinned, plain, source_of
from trtbuild.core.errors import CorruptObject, MissingFile, StepInputError
from trtbuild.steps import capture_data
from trtbuild.steps.capture_data import CaptureData

SHOTS = '{"kind": "images", "path": "shots", "preprocess": {"scale": 1}}'
PYTHON = '{"kind": "python", "entrypoint": "code.py:f"%s}'


def test_the_manifest_is_what_a_reader_can_redo(tmp_path):
    """Count, digests, tensors and labels, as JSON that ends in a line feed."""
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 3), np.float32), y=np.array([1, 0]))
    source = source_of('{"kind": "arrays", "path": "a.npz", "labels": "y"}')
    capture(source, tmp_path, tmp_path / "out")

    text = (tmp_path / "out/manifest.json").read_text()
    manifest = json.loads(text)

    assert {
        "count": 2,
        "labelled": True,
        "labels": [1, 0],
        "sizes": [],
        "tensors": [{"name": "x", "dtype": "float32", "shape": [3]}],
        "peaks": {"x": [0.0, 0.0]},
        "spans": {"x": {"low": 0, "high": 0, "mean": 0, "deviation": 0, "values": 6}},
    } == {key: value for key, value in manifest.items() if key != "samples"}
    assert 2 == len(set(manifest["samples"]))
    assert "\n" == text[-1]


def test_a_file_of_several_pictures_is_told(tmp_path):
    """The first is read: a GIF that moves has more."""
    frames = [Image.new("L", (2, 2), color) for color in (0, 90, 200)]
    (tmp_path / "shots").mkdir()
    frames[0].save(tmp_path / "shots/a.gif", save_all=True, append_images=frames[1:])
    frames[1].save(tmp_path / "shots/b.gif")
    _, context = capture(source_of(SHOTS), tmp_path, tmp_path / "o")

    (warning,) = context.events.warnings
    assert warning.startswith("of files with several pictures the first is read: a.gif (3) (hint: ")


def test_files_of_arrays_are_not_copied(tmp_path):
    """samples.npz is there, and empty: to read them again costs nothing."""
    capture(KINDS["npz"](tmp_path), tmp_path, tmp_path / "out")

    assert [] == list(np.load(tmp_path / "out/samples.npz"))


def test_pictures_of_a_callable_are_stored_small(tmp_path):
    """What is kept is the uint8 picture that was yielded, and not the floats made of it."""
    capture(KINDS["preprocessed"](tmp_path), tmp_path, tmp_path / "out")

    with np.load(tmp_path / "out/samples.npz") as stored:
        array = stored["000003%2Finput"]
        label = stored["000003%2Flabel"]

    assert ("uint8", (6, 8, 3), 3) == (array.dtype.name, array.shape, array[0, 0, 0])
    assert 1 == label.item()


def test_captured_samples_need_their_code_no_more(tmp_path):
    """Later steps read what was stored: the code may change or go."""
    source = KINDS["python"](tmp_path)
    before = plain(source.samples(source.find_files(tmp_path)))
    data, context = capture(source, tmp_path, tmp_path / "out")
    (tmp_path / "code.py").unlink()

    assert before == plain(data.samples(context))


def test_progress_is_told(tmp_path):
    """Sample by sample, with the total where it is known."""
    source = KINDS["images"](tmp_path)
    _, context = capture(source, tmp_path, tmp_path / "out")
    told = []
    object.__setattr__(context.events, "progress", lambda *event: told.append(event))

    CaptureData(source=source, files=pinned(source, tmp_path)).run(context)

    assert [(1, 4, "samples"), (2, 4, "samples"), (3, 4, "samples"), (4, 4, "samples")] == told


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    """From a file and from a callable, with sample and input named."""
    array = np.zeros((3, 2), np.float32)
    array[1, 1] = float(value)
    np.save(tmp_path / "a.npy", array)
    (tmp_path / "code.py").write_text(f"def f():\n yield {{'x': [0.0, float('{value}')]}}")
    told = r"holds \d NaN and \d infinite values, the first at \[1\]"

    with pytest.raises(StepInputError, match=rf"^a.npy\[1\]: input `input` {told}"):
        capture(source_of('{"kind": "arrays", "path": "a.npy"}'), tmp_path, tmp_path / "1")
    with pytest.raises(StepInputError, match=rf"^code.py:f\[0\]: input `x` {told}"):
        capture(source_of(PYTHON % ""), tmp_path, tmp_path / "2")


def test_preprocessing_that_overflows_is_refused(tmp_path):
    """A scale that makes infinities of pixels is found in the first picture."""
    picture(tmp_path / "photos/a.png", 255)
    source = source_of('{"kind": "images", "path": "photos", "preprocess": {"scale": 1e38}}')

    with pytest.raises(StepInputError, match=r"^a.png: input `input` holds 0 NaN and 144 inf"):
        capture(source, tmp_path, tmp_path / "out")


def test_pictures_may_differ_in_size(tmp_path):
    """A model may take them all; which is the first that is unlike the others is kept."""
    picture(tmp_path / "photos/a.png", size=(8, 6))
    picture(tmp_path / "photos/b.png", size=(8, 7))
    source = source_of('{"kind": "images", "path": "photos", "preprocess": {}}')
    capture(source, tmp_path, tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())

    assert [[3, "6..7", 8]] == [each["shape"] for each in manifest["tensors"]]
    assert [1] == [each["first"] for each in manifest["sizes"]]


def test_code_that_changed_since_planning_is_not_run(tmp_path):
    """What would run is what was reviewed."""
    (tmp_path / "code.py").write_text("def f():\n yield {'x': 1}")
    source = source_of(PYTHON % "")
    files = pinned(source, tmp_path)
    (tmp_path / "code.py").write_text("open('ran', 'w')")

    with pytest.raises(CorruptObject, match=r"code.py: has changed since this run was planned"):
        capture(source, tmp_path, tmp_path / "out", files=files)

    assert not os.path.lexists("ran")


@pytest.mark.parametrize("name", ["images", "npz"])
def test_a_file_that_is_gone_is_told(tmp_path, name):
    """A file that vanished after planning is missing, and not corrupt."""
    source = KINDS[name](tmp_path)
    files = pinned(source, tmp_path)
    source.find_files(tmp_path)[0].unlink()

    with pytest.raises(MissingFile, match="no such file"):
        capture(source, tmp_path, tmp_path / "out", files=files)


def test_a_corrupt_picture_that_did_not_change_is_corrupt(tmp_path):
    """It was so when the plan was made."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.png").write_bytes(b"no picture")
    source = source_of('{"kind": "images", "path": "photos", "preprocess": {}}')

    with pytest.raises(StepInputError, match=r"^a.png: is not a picture"):
        capture(source, tmp_path, tmp_path / "out")


@pytest.mark.parametrize("name", ["images", "npz", "python"])
def test_samples_that_differ_from_their_digest_are_refused(tmp_path, name):
    """Another decoder, or a stored file that was damaged: never silence."""
    source = KINDS[name](tmp_path)
    data, context = capture(source, tmp_path, tmp_path / "out")
    manifest = data.read_manifest(context)
    wrong = (manifest.samples[0], "sha256:00", *manifest.samples[2:])
    path = context.inputs["capture/manifest"]
    path.write_text(manifest.model_copy(update={"samples": wrong}).model_dump_json())
    samples = data.samples(context)
    next(samples)

    with pytest.raises(CorruptObject, match=r"1.*: is not what was captured, though no file"):
        next(samples)


@pytest.mark.parametrize(("kept", "told"), [(3, r"3"), (5, r"the sample after the first 4")])
def test_fewer_or_more_samples_are_refused(tmp_path, kept, told):
    """A capture of three does not become four, nor one of five four."""
    data, context = capture(KINDS["python"](tmp_path), tmp_path, tmp_path / "out")
    manifest = data.read_manifest(context)
    samples = (*manifest.samples, "sha256:00")[:kept]
    path = context.inputs["capture/manifest"]
    path.write_text(manifest.model_copy(update={"samples": samples}).model_dump_json())

    with pytest.raises(CorruptObject, match=rf"{told}.*: is not what was captured"):
        list(data.samples(context))


def test_a_torn_store_is_a_corrupt_object(tmp_path):
    """Stored samples that were cut short are never half read."""
    data, context = capture(KINDS["python"](tmp_path), tmp_path, tmp_path / "out")
    path = context.inputs["capture/samples"]
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(CorruptObject):
        list(data.samples(context))


def test_data_without_labels_has_none(tmp_path):
    """None, and not an empty list."""
    data, context = capture(KINDS["images"](tmp_path), tmp_path, tmp_path / "out")

    assert data.labels(context) is None


@pytest.mark.parametrize(
    ("name", "facts"),
    [("images", ("numpy", "pillow")), ("npz", ()), ("preprocessed", ("numpy", "pillow"))],
)
def test_facts_are_the_sources(tmp_path, name, facts):
    """Another Pillow captures pictures again, and arrays not."""
    source = KINDS[name](tmp_path)

    assert facts == CaptureData(source=source, files=()).fact_names()


def test_stored_pictures_may_be_left_for_a_gpu(tmp_path):
    """They come to the same; arrays, and pictures that were too many to store, may not."""
    data, context = capture(KINDS["images"](tmp_path), tmp_path, tmp_path / "out")
    left = list(data.samples(context, leave=True))

    assert data.leaves_pictures(context)
    assert {"uint8"} == {each.arrays["input"].pixels.dtype.name for each in left}
    for one, other in zip(left, data.samples(context), strict=True):
        assert (one.name, one.label) == (other.name, other.label)
        assert other.arrays["input"].tobytes() == np.asarray(one.arrays["input"]).tobytes()
    arrays, context = capture(KINDS["npz"](tmp_path), tmp_path, tmp_path / "more")
    assert not arrays.leaves_pictures(context)


def test_a_reader_may_stop_early(tmp_path):
    """The rest is not read, and nothing is said of it."""
    data, context = capture(KINDS["images"](tmp_path), tmp_path, tmp_path / "out", threads=2)
    samples = data.samples(context)

    assert "0.png" == next(samples).name
    samples.close()


def test_labels_of_folders_come_with_the_samples(tmp_path):
    """In the manifest, and whenever the samples are read; another folder is another ingredient."""
    for name in ("cats/1.png", "dogs/2.png"):
        picture(tmp_path / "shots" / name, value=len(name))
    source = source_of(SHOTS.replace('"preprocess"', '"labels": "folders", "preprocess"'))
    data, context = capture(source, tmp_path, tmp_path / "out")

    assert [0, 1] == data.labels(context)
    assert [0, 1] == [sample.label for sample in data.samples(context)]
    assert (0, 1) == source.find_labels(tmp_path)
    (tmp_path / "shots/ants").mkdir()
    (tmp_path / "shots/dogs/2.png").rename(tmp_path / "shots/ants/2.png")
    assert (0, 1) == source.find_labels(tmp_path)
    assert ["ants", "cats"] == [path.parent.name for path in source.find_files(tmp_path)]


def test_more_pictures_than_there_is_room_for_are_decoded_again(tmp_path, monkeypatch):
    """None is stored then; what is read is the same."""
    source = KINDS["images"](tmp_path)
    data, context = capture(source, tmp_path, tmp_path / "all")
    once = plain(data.samples(context))
    whole = (tmp_path / "all/samples.npz").stat().st_size
    monkeypatch.setattr(capture_data, "MOST_STORED_BYTES", 8 * 6 * 3 * 3)

    data, context = capture(source, tmp_path, tmp_path / "none")

    assert (tmp_path / "none/samples.npz").stat().st_size < 100 < whole
    assert once == plain(data.samples(context))
