"""Labels of every sort, as compare reads them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.helpers.sources import capture, picture, source_of
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.steps.base import Pinned
from trtbuild.steps.capture_labels import CaptureLabels, LabelFile, Truths


def captured(source, folder):
    """Capture a source, then its labels."""
    data, context = capture(source, folder, folder / "out")
    names, files = (), ()
    if source.kind == "images":
        names = source.find_names(folder)
        files = tuple(
            LabelFile(name=name, file=Pinned(path=str(path), digest=digest_of_file(path)))
            for name, path in source.labels.find_files(folder, names).items()
        )
    CaptureLabels(data=data, pictures=names, files=files).run(context)
    count = data.read_manifest(context).count
    return Truths(folder / "out" / "labels.npz", count), context


def images(folder, **labels):
    picture(folder / "photos" / "1.png", size=(100, 200))
    picture(folder / "photos" / "2.png", size=(50, 50))
    preprocess = {"resize": [20, 10]}
    made = {"kind": "images", "path": "photos", "labels": labels, "preprocess": preprocess}
    return source_of(json.dumps(made))


def test_boxes_in_files_come_in_pixels_of_the_input(tmp_path):
    """The whole of the first picture, 10 x 20 of the input; nothing in the second."""
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "1.txt").write_text("4 0.5 0.5 1 1")
    truths, context = captured(images(tmp_path, kind="yolo", path="labels"), tmp_path)

    assert TensorSpec(name="labels", dtype="float32", shape=("0..1", 8)) == truths.spec
    assert [[4, 0, 0, 10, 20, 10, 20, 0]] == truths.row(0).tolist()
    assert 0 == len(truths.row(1))
    assert [
        "1 of 2 pictures have no text file of boxes: taken as without objects (the first: 2.png)"
    ] == context.events.notes


def test_masks_come_in_the_size_of_the_input(tmp_path):
    """Whatever the size of the pictures."""
    picture(tmp_path / "masks" / "1.png", 3, size=(100, 200), mode="L")
    picture(tmp_path / "masks" / "2.png", 5, size=(50, 50), mode="L")
    truths, _ = captured(images(tmp_path, kind="masks", path="masks"), tmp_path)

    assert TensorSpec(name="labels", dtype="int32", shape=(20, 10)) == truths.spec
    assert {5} == set(truths.row(1).reshape(-1).tolist())


CODE = """
import numpy as np

def samples():
    for label in {labels}:
        yield {{"input": np.zeros(2, np.float32), "label": label}}
"""


def python(folder, labels):
    (folder / "code.py").write_text(CODE.format(labels=labels))
    return source_of('{"kind": "python", "entrypoint": "code.py:samples", "labels": "label"}')


def test_code_may_yield_arrays_of_any_length(tmp_path):
    """Tokens; a sequence of one among others is no class."""
    truths, _ = captured(python(tmp_path, "[np.array([1, 2]), np.array([3])]"), tmp_path)

    assert [[1, 2], [3]] == [truths.row(0).tolist(), truths.row(1).tolist()]


def test_arrays_hold_a_label_for_each_sample(tmp_path):
    """A target of two numbers."""
    np.savez(tmp_path / "a.npz", input=np.zeros((3, 2)), y=np.ones((3, 2), np.float32))
    source = source_of('{"kind": "arrays", "path": "a.npz", "labels": "y"}')
    truths, _ = captured(source, tmp_path)

    assert TensorSpec(name="labels", dtype="float32", shape=(2,)) == truths.spec


def test_classes_are_the_manifest_s(tmp_path):
    """Nothing is written down twice."""
    truths, _ = captured(python(tmp_path, "[1, 0]"), tmp_path)

    assert (None, None) == (truths.spec, truths.row(0))


def test_labels_of_two_kinds_are_refused(tmp_path):
    """With the first sample whose label is another one."""
    with pytest.raises(
        StepInputError, match=r"samples\[1\]: its label is of another kind"
    ) as caught:
        captured(python(tmp_path, "[np.zeros((1, 5)), np.zeros(5)]"), tmp_path)

    assert "one dtype" in caught.value.hint
