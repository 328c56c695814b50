"""Frames from files, in order, at a rate."""

from __future__ import annotations

import json
import queue
import time

import numpy as np
import pytest
from PIL import Image

from tests.helpers import media
from trtbuild.core.errors import MissingFile, RecipeError, StepInputError, UsageError
from trtbuild.pipeline.load import load_pipeline
from trtbuild.pipeline.sources import open_frames, take_frames


def frames(folder, **source):
    told = {"version": 1, "source": source, "stages": {"s": {"python": "c.py:f"}}}
    (folder / "p.yaml").write_text(json.dumps(told))
    return list(open_frames(load_pipeline(folder / "p.yaml")))


def test_a_folder_is_read_by_name_as_often_as_is_said(tmp_path):
    """Numbers go on."""
    (tmp_path / "in").mkdir()
    for name, value in (("b", 2), ("a", 1)):
        Image.fromarray(np.full((2, 3, 3), value, np.uint8)).save(tmp_path / f"in/{name}.png")
    found = frames(tmp_path, kind="folder", path="in", repeat=2)

    assert [(0, "a.png", 1), (1, "b.png", 2), (2, "a.png", 1), (3, "b.png", 2)] == [
        (each.number, each.name, each.picture[0, 0, 0]) for each in found
    ]


def test_a_rate_is_kept(tmp_path):
    """The last of five comes four steps after the first."""
    (tmp_path / "in").mkdir()
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "in/a.png")
    before = time.monotonic()
    found = frames(tmp_path, kind="folder", path="in", repeat=5, rate=100)

    assert 5 == len(found)
    assert time.monotonic() - before >= 0.04


def test_a_video_gives_its_frames(tmp_path):
    """With their times as names."""
    media.video(tmp_path / "v.mp4", range(0, 200, 50), size=(16, 16))
    found = frames(tmp_path, kind="video", path="v.mp4")

    assert 4 == len(found)
    assert (16, 16, 3) == found[0].picture.shape
    assert "v.mp4[0.000 s]" == found[0].name


@pytest.mark.parametrize(
    ("source", "error", "told"),
    [
        ({"kind": "folder", "path": "none"}, MissingFile, "none: there is no such folder"),
        ({"kind": "video", "path": "none.mp4"}, MissingFile, r"none\.mp4"),
        ({"kind": "camera", "path": "/dev/none"}, StepInputError, "camera /dev/none"),
        ({"kind": "queue"}, UsageError, "frames come from a program"),
        ({"kind": "queue", "path": "x"}, RecipeError, "leave out `path`"),
        ({"kind": "video"}, RecipeError, "`path` is missing"),
    ],
)
def test_what_is_not_there_is_told(tmp_path, source, error, told):
    """By its path."""
    with pytest.raises(error, match=told):
        frames(tmp_path, **source)


def test_a_programs_queue_gives_pictures_until_none():
    """Or until the pipeline has ended, though nobody says so to the queue."""
    given = queue.Queue()
    for value in (np.zeros((2, 2, 3), np.uint8), np.ones((2, 2, 3), np.uint8), None):
        given.put(value)

    found = list(take_frames(given, lambda: False))
    assert [(0, 0), (1, 1)] == [(each.number, each.picture.max()) for each in found]
    assert [] == list(take_frames(given, lambda: True))


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 3)), np.zeros((2, 2), np.uint8), "a.png"])
def test_what_is_no_picture_is_told(wrong):
    """By its number, type and shape."""
    with pytest.raises(StepInputError, match="frame 0 is no picture"):
        list(take_frames([wrong], lambda: False))
