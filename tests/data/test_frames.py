"""Frames of one video."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers import media
from tests.helpers.sources import source_of
from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.data.frames import Frame, choose_frames, find_rate, read_frames

EVERY = source_of('{"kind": "video", "path": ".", "preprocess": {}}')


def test_a_video_that_ends_before_its_index_says_so(tmp_path):
    """Frames that were counted and cannot be decoded are missed."""
    media.video(tmp_path / "a.mkv", range(10))

    with pytest.raises(StepInputError, match="10 frames can be decoded, and its index promises 12"):
        list(read_frames(EVERY, tmp_path / "a.mkv", [1, 11], threads=1))


def test_frames_are_counted_without_being_decoded(tmp_path):
    """Of each video those that are wanted, by their numbers in it; all without a count."""
    files = [media.video(tmp_path / f"{n}.mkv", range(n)) for n in (3, 5)]

    assert [[0, 2], [1, 3]] == choose_frames(EVERY.model_copy(update={"count": 4}), files)
    assert [None, None] == choose_frames(EVERY, files)


def test_a_turned_frame_is_set_upright():
    """As the camera says in the file's metadata, in degrees against the clock."""
    av = media.need("av", "video")
    pixels = np.zeros((2, 4, 3), np.uint8)
    pixels[0, 0] = 255
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")

    class Turned:
        rotation = 90

        def reformat(self, **options):
            return frame.reformat(**options)

    found = Frame("x", Turned()).make_picture()

    assert (np.rot90(pixels).tolist(), (4, 2, 3)) == (found.tolist(), found.shape)


def test_a_rate_that_cannot_be_read_is_an_error(tmp_path):
    """As of frames: what FFmpeg says, with the file."""
    media.need("av", "video")
    (tmp_path / "a.mp4").write_bytes(b"no video")

    with pytest.raises(StepInputError, match=r"a\.mp4: the video is corrupt or cut short"):
        find_rate(tmp_path / "a.mp4")
    with pytest.raises(MissingFile, match=r"b\.mp4"):
        find_rate(tmp_path / "b.mp4")
