"""The section for a YOLO of Ultralytics: its file, and what its exporter is called with."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.helpers.models import model_of
from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.sources.ultralytics import Ultralytics


def source(**fields):
    return Ultralytics(kind="ultralytics", **{"path": "best.pt", **fields})


def test_options_become_the_exporters_arguments():
    """Those of suppression only where it is asked for, and the size only where it is said."""
    plain = {"format": "onnx", "batch": 1, "dynamic": False, "simplify": True, "opset": 17,
             "max_det": 300, "device": "cpu"}  # fmt: skip
    nms = {"nms": True, "conf": 0.1, "iou": 0.7, "agnostic_nms": False}

    assert plain == source().list_arguments()
    assert {**plain, **nms} == source(nms=True, conf=0.1).list_arguments()
    assert [640, [480, 640], True] == [
        source(imgsz=640).list_arguments()["imgsz"],
        source(imgsz=(480, 640)).list_arguments()["imgsz"],
        source(end2end=True).list_arguments()["end2end"],
    ]


@pytest.mark.parametrize("fields", [{"imgsz": 0}, {"conf": 2.0}, {"opset": 21}, {"half": True}])
def test_what_makes_no_sense_is_refused(fields):
    """16 bits are for `precision` to say."""
    with pytest.raises(ValidationError):
        source(**fields)


@pytest.mark.parametrize(
    "fields", [{"path": None}, {"url": "https://x.org/a.pt"}, {"path": None, "url": "file:///a.pt"}]
)
def test_it_has_one_place(fields):
    """A path or a url, and a url has its digest."""
    with pytest.raises(ValidationError):
        source(**fields)


def test_one_by_url_is_fetched():
    """By its digest; it has no files of its own."""
    made = source(path=None, url="https://x.org/v8/yolo.pt", sha256="a" * 64)
    assert made.published is not None

    assert ("https://x.org/v8/yolo.pt", "a" * 64) == (made.published.url, made.published.sha256)
    assert ((), "url") == (made.find_files(Path()), made.place_option)


def test_simplifying_rests_on_what_simplifies():
    """Another version of it makes another model."""
    assert [True, False] == ["onnxslim" in source(simplify=s).libraries() for s in (True, False)]


def test_its_file_is_a_checkpoint(tmp_path):
    """And nothing that was exported already."""
    with pytest.raises(MissingFile):
        source().find_files(tmp_path)
    model = model_of("g (float[N] x) => (float[N] y) { y = Relu(x) }")
    for content in (b"ftrt", model.SerializeToString()):
        (tmp_path / "best.pt").write_bytes(content)
        with pytest.raises(StepInputError, match="a checkpoint of Ultralytics"):
            source().find_files(tmp_path)
    (tmp_path / "best.pt").write_bytes(b"\x80\x02}q")

    assert (tmp_path / "best.pt",) == source().find_files(tmp_path)
