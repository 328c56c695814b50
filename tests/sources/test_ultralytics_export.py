"""Ultralytics' exporter is called in a process of its own; a double of the package answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.helpers import ultralytics_double
from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.model.signature import read_signature
from trtbuild.sources.sizes import Sizes
from trtbuild.sources.ultralytics import Ultralytics


@pytest.fixture
def base(tmp_path, monkeypatch):
    """A folder with a checkpoint, and the double where processes find it."""
    package = tmp_path / "packages" / "ultralytics"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(Path(ultralytics_double.__file__).read_text())
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), *sys.path[1:]]))
    (tmp_path / "best.pt").write_bytes(b"\x80\x02}")
    return tmp_path


def brought(base, **fields):
    source = Ultralytics(kind="ultralytics", path="best.pt", **fields)
    return source.bring_in(base, None, Sizes())


def test_the_checkpoint_is_exported_and_left_alone(base):
    """Nothing is written beside it; what it is stays in the file, and the date does not."""
    found = brought(base, imgsz=(64, 96))
    signature = read_signature(found.model)

    assert ["best.pt", "packages"] == sorted(each.name for each in base.iterdir())
    assert ("images", (1, 3, 64, 96)) == (signature.inputs[0].name, signature.inputs[0].shape)
    assert {"stride", "task", "names", "end2end"} == {p.key for p in found.model.metadata_props}
    assert "exported by Ultralytics 8.4.0, task detect: not compared with PyTorch" == found.notes[0]


def test_a_head_that_ends_in_boxes_takes_no_suppression(base):
    """Which is said; so is what Ultralytics warns of."""
    (base / "best.pt").write_bytes(b"\x80\x02 end2end")
    found = brought(base, nms=True, dynamic=True, max_det=5)
    signature = read_signature(found.model)

    assert [("batch", 3, "height", "width"), ("batch", 5, 6)] == [
        each.shape for each in (*signature.inputs, *signature.outputs)
    ]
    assert "`nms` has no effect" in found.notes[1]
    assert "Ultralytics said: WARNING 'nms=True' is not available" in found.notes[2]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"broken", StepInputError, "cannot export it: ModuleNotFoundError: No module named 'mo"),
        (b"crash", StepInputError, "its process ended with 9"),
    ],
)
def test_what_goes_wrong_there_is_one_error(base, content, error, message):
    """With what can be done elsewhere."""
    (base / "best.pt").write_bytes(b"\x80\x02" + content)
    with pytest.raises(error, match=message) as caught:
        brought(base)
    assert caught.value.hint


def test_without_ultralytics_it_says_what_installs_it(base, monkeypatch):
    """And the way without."""
    (base / "packages" / "ultralytics" / "__init__.py").write_text(
        "raise ModuleNotFoundError(name='ultralytics')"
    )
    with pytest.raises(MissingDependency, match="which is not installed") as caught:
        brought(base)
    assert "pip install 'trtbuild[ultralytics]'" in caught.value.hint
    assert "write `kind: onnx`" in caught.value.hint


def test_an_ultralytics_that_does_not_fit_is_said(base):
    """As one beside a torchvision for another PyTorch."""
    (base / "packages" / "ultralytics" / "__init__.py").write_text(
        "raise ImportError('torchvision::nms does not exist', name='torchvision')"
    )
    with pytest.raises(MissingDependency, match="cannot be imported: ImportError: torchv"):
        brought(base)
