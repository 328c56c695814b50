"""Which frames of videos are taken, and that they come out as they went in."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from pydantic import ValidationError

from tests.helpers import media
from tests.helpers.sources import source_of
from trtbuild.core.errors import MissingDependency, MissingFile, StepInputError

GRAYS = [0, 20, 40, 60, 80, 100, 120, 140, 160, 180]


def video(path="a.mkv", extra=""):
    how = '{"scale": 1, "color": "gray"}'
    return source_of(f'{{"kind": "video", "path": "{path}", "preprocess": {how}{extra}}}')


def grays(source, base):
    return [int(each.arrays["input"].max()) for each in source.samples(source.find_files(base))]


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [
        ("", GRAYS),
        (', "stride": 4', [0, 80, 160]),
        (', "start": 0.3, "end": 0.6', [60, 80, 100]),
        (', "start": 0.3, "stride": 3', [60, 120, 180]),
        (', "count": 2', [0, 100]),
        (', "stride": 3, "count": 2', [0, 120]),
        (', "start": 0.5, "fraction": "40%"', [100, 140]),
    ],
)
def test_frames_are_chosen(tmp_path, extra, wanted):
    """By time (ten a second), then every so many-th, then evenly."""
    media.video(tmp_path / "a.mkv", GRAYS)

    assert wanted == grays(video(extra=extra), tmp_path)


def test_a_folder_of_videos_is_one_after_the_other(tmp_path):
    """In name order; a count is spread over all, and a video of which none is wanted is passed."""
    for name, values in (("b", [200]), ("a", [0, 100]), ("c", [240, 250])):
        media.video(tmp_path / "clips" / f"{name}.mkv", values)
    (tmp_path / "clips/notes.txt").write_text("")

    assert [0, 100, 200, 240, 250] == grays(video("clips"), tmp_path)
    assert [0, 200] == grays(video("clips/*.mkv", ', "count": 2'), tmp_path)


def test_a_frame_is_a_picture_in_rgb(tmp_path):
    """Height, width and the places of the channels; its name says when it is shown."""
    av = media.need("av", "video")
    pixels = np.zeros((12, 16, 3), np.uint8)
    pixels[:, :8] = (10, 20, 30)
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 12, "bgr0"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    source = source_of('{"kind": "video", "path": "a.mkv", "preprocess": {"scale": 1}}')

    (sample,) = source.samples(source.find_files(tmp_path))

    assert "a.mkv[0.000 s]" == sample.name
    assert pixels.tolist() == np.moveaxis(sample.arrays["input"], 0, -1).tolist()


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (', "count": 11', "a.mkv: holds 10 frames, and `count` asks for 11"),
        (', "start": 9', "a.mkv: has no frame from 9 s to its end"),
    ],
)
def test_too_few_frames_are_an_error(tmp_path, extra, told):
    """With what there is."""
    media.video(tmp_path / "a.mkv", GRAYS)

    with pytest.raises(StepInputError, match=told):
        grays(video(extra=extra), tmp_path)


def test_what_is_no_video_is_named(tmp_path):
    """Text, a video that is cut short in its header, and one of sound alone."""
    media.need("av", "video")
    (tmp_path / "a.mkv").write_bytes(b"no video")
    with pytest.raises(StepInputError, match=r"a\.mkv: the video is corrupt or cut short"):
        grays(video(), tmp_path)
    whole = media.video(tmp_path / "b.mkv", GRAYS).read_bytes()
    (tmp_path / "b.mkv").write_bytes(whole[:60])
    with pytest.raises(StepInputError, match=r"b\.mkv: the video is corrupt or cut short"):
        grays(video("b.mkv"), tmp_path)
    media.sound(tmp_path / "c.wav", np.zeros(80))
    with pytest.raises(StepInputError, match=r"c\.wav: holds no pictures"):
        grays(video("c.wav"), tmp_path)


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    """A folder without videos; and the library, with the command that brings it."""
    with pytest.raises(MissingFile, match=r"nowhere: no such folder"):
        video("nowhere").find_files(tmp_path)
    with pytest.raises(MissingFile, match=r"holds no videos"):
        video(".").find_files(tmp_path)
    monkeypatch.setitem(sys.modules, "av", None)

    with pytest.raises(MissingDependency, match="`av` is not installed") as caught:
        video().samples([tmp_path / "a.mkv"])
    assert "pip install 'trtbuild[video]'" == caught.value.hint


def test_a_span_that_ends_before_it_begins_is_refused():
    """When the recipe is read."""
    with pytest.raises(ValidationError, match=r"`start` \(2 s\) must lie before `end` \(1 s\)"):
        video(extra=', "start": 2, "end": 1')
