"""Detections are drawn where they are."""

from __future__ import annotations

import errno
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from trtbuild.core.errors import StepInputError
from trtbuild.data.frames import find_rate
from trtbuild.data.preprocess import Preprocess
from trtbuild.verbs.running.answers import ClassMap, ScoredBox
from trtbuild.verbs.running.drawing import (
    VideoFile,
    draw_boxes,
    draw_classes,
    draw_lines,
    join_side_by_side,
    write_picture,
)

BLACK = np.zeros((60, 80, 3), np.uint8)
BOX = ScoredBox((20.0, 30.0, 50.0, 50.0), 0, "日\ncat", 0.5)


def test_a_box_has_its_corners_and_leaves_its_inside(tmp_path):
    """The picture that is given stays as it was."""
    drawn = draw_boxes(BLACK, [BOX], "int8")
    write_picture(tmp_path / "a.png", drawn)

    assert drawn[30, 50].any()
    assert drawn[50, 20].any()
    assert not drawn[40, 35].any()
    assert not BLACK.any()
    with Image.open(tmp_path / "a.png") as written:
        assert (80, 60) == written.size
    assert draw_lines(BLACK, ["99 %  cat"]).any()


def test_sides_stand_side_by_side():
    """The left one first."""
    joined = join_side_by_side([BLACK, BLACK + 1])

    assert (60, 160, 3) == joined.shape
    assert [0, 1] == joined[0, [79, 80], 0].tolist()


def test_a_video_has_a_frame_a_picture(tmp_path):
    """In the rate of the one that was read; of odd sizes a line less."""
    av = pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "a.mp4"
    with VideoFile(path, Fraction(10)) as file:
        for value in (0, 120, 240):
            file.add(np.full((33, 47, 3), value, np.uint8))
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    assert 10 == find_rate(path)
    assert [(32, 46, 3)] * 3 == [frame.shape for frame in frames]
    assert [0, 120, 240] == pytest.approx([frame.mean() for frame in frames], abs=8)


def test_a_video_that_breaks_off_leaves_nothing(tmp_path):
    """What lay there before stays."""
    pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "a.mkv"
    path.write_bytes(b"before")
    with pytest.raises(KeyError), VideoFile(path, Fraction(10)) as file:
        file.add(BLACK)
        raise KeyError

    assert (b"before", [path]) == (path.read_bytes(), list(tmp_path.iterdir()))


@pytest.mark.parametrize("size", [(30, 80), (60, 90)])
def test_a_frame_of_another_size_is_refused(tmp_path, size):
    """It would be stretched or cut without a word."""
    pytest.importorskip("av", reason="PyAV is not installed")
    with (
        pytest.raises(StepInputError, match=f"a frame is {size[1]}x{size[0]}, and .* 80x60"),
        VideoFile(tmp_path / "a.mp4", Fraction(10)) as file,
    ):
        file.add(BLACK)
        file.add(np.zeros((*size, 3), np.uint8))
    assert [] == list(tmp_path.iterdir())


def test_a_video_that_cannot_be_ended_leaves_nothing(tmp_path, monkeypatch):
    """As where the disk is full by the time the encoder gives its last frames."""
    pytest.importorskip("av", reason="PyAV is not installed")

    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a.mp4"
    with pytest.raises(OSError, match="No space"), VideoFile(path, Fraction(10)) as file:
        file.add(BLACK)
        monkeypatch.setattr(file, "_container", SimpleNamespace(mux=fail))
    assert [] == list(tmp_path.iterdir())


def test_a_pixel_of_no_class_or_of_a_far_one_is_tinted():
    """Whatever numbers a map holds: -1 of what was left out, 10**9 of what counts otherwise."""
    classes = np.array([[-1, -1], [-1, 10**9]])
    drawn = draw_classes(BLACK, ClassMap(classes, (), None))

    assert (60, 80, 3) == drawn.shape
    assert drawn[0, 0].tolist() == drawn[0, 79].tolist()
    draw_classes(BLACK, ClassMap(np.full((2, 2), -1), (), None))


def test_classes_tint_the_pixels_that_the_model_saw():
    """A letterbox is undone, and a map may be smaller than what the model took."""
    view = Preprocess(resize=(40, 40), fit="letterbox").view(80, 60)  # 5 rows of padding at an end
    classes = np.zeros((20, 20), np.int64)
    classes[:, 10:] = 1
    drawn = draw_classes(BLACK, ClassMap(classes, (), view))
    cut = draw_classes(BLACK, ClassMap(classes, (), Preprocess(crop=(40, 40)).view(80, 60)))

    assert 2 == len(np.unique(drawn.reshape(-1, 3), axis=0))
    assert (drawn[:, :40] == drawn[0, 0]).all()
    assert (drawn[:, 40:] == drawn[0, 79]).all()
    assert not cut[:10].any()
    assert not cut[:, :20].any()
    assert cut[10:50, 20:60].any(axis=2).all()
