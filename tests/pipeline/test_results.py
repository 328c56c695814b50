"""What is written of frames."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest

from tests.pipeline.conftest import paint
from trtbuild.core.errors import MissingFile, NotWritable, StepInputError, UsageError
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.load import load_pipeline
from trtbuild.pipeline.results import describe_item
from trtbuild.pipeline.run import run_pipeline
from trtbuild.verbs.running.answers import Answer, ScoredBox

MODEL = {"recipe": "mean.yaml", "threads": 1}


def test_a_video_is_drawn_on(run, project):
    """As many frames as results, of the same size; classes are written on them."""
    run({"colour": MODEL}, paint(5, (64, 64)), video="out.mp4")

    with av.open(str(project / "out.mp4")) as container:
        seen = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert 5 == len(seen)
    assert (64, 64, 3) == seen[0].shape
    assert seen[0].std(axis=(0, 1)).max() > 5


@pytest.mark.parametrize(
    ("path", "error", "told"),
    [
        ("none.mp4", MissingFile, r"none\.mp4: no such file"),
        ("text.mp4", StepInputError, r"text\.mp4: the video is corrupt or cut short"),
    ],
)
def test_a_video_whose_rate_is_not_to_be_had_is_told(project, path, error, told):
    """Before a frame is asked for; nothing is written."""
    (project / "text.mp4").write_text("no video")
    file = {
        "version": 1,
        "source": {"kind": "video", "path": path},
        "stages": {"it": {"python": "code.py:odd"}},
        "results": {"video": "out.mp4"},
    }
    (project / "p.yaml").write_text(json.dumps(file))
    before = sorted(project.iterdir())

    with pytest.raises(error, match=told):
        run_pipeline(load_pipeline(project / "p.yaml"), project / "build")
    assert before == sorted(each for each in project.iterdir() if each.name != "__pycache__")


def test_a_video_that_cannot_be_written_is_told(run):
    """With what can."""
    with pytest.raises(UsageError, match=r"out\.gif: is no video that can be written"):
        run({"colour": MODEL}, paint(1), video="out.gif")


@pytest.mark.parametrize("results", [{"json_lines": "build"}, {"video": "build.mp4"}])
def test_a_place_that_cannot_be_written_is_told(run, project, results):
    """With the next move, before a frame is read."""
    (project / "build.mp4").mkdir()

    with pytest.raises(NotWritable, match=r"results: .*build\S*: cannot be written") as told:
        run({"colour": MODEL}, paint(1), **results)
    assert "name another place" == told.value.hint


def test_a_line_holds_what_json_has_words_for():
    """Boxes with their classes; values that are plain."""
    item = Item(3, "f", np.zeros((2, 2, 3), np.uint8))
    box = ScoredBox((1.0, 2.0, 3.0, 4.006), 5, "", 0.123456)
    item.answers["find"] = [Answer(boxes=(box,))]
    item.values = {"track": 7, "mask": np.zeros(3)}

    item.placed["find"] = [item.whole]
    assert {
        "frame": 3,
        "name": "f",
        "find": [[{"box": [1.0, 2.0, 3.0, 4.01], "class": 5, "score": 0.1235}]],
        "values": {"track": 7},
    } == describe_item(item)


def test_what_is_no_number_is_null(run):
    """JSON has no other word for NaN and infinity, and what reads lines stumbles over those."""
    _, lines = run({"it": {"python": "code.py:nan"}}, paint(1))

    assert {"a": None, "b": [1, None]} == lines[0]["values"]


def test_a_line_says_where_pictures_lie_that_were_cut_out():
    """Boxes in them are told as they are in the picture."""
    item = Item(0, "f", np.zeros((8, 8, 3), np.uint8))
    item.answers["name"], item.placed["name"] = [Answer(), Answer()], [(1.0, 2.0, 3.004, 4.0), None]

    assert {"name": [[1.0, 2.0, 3.0, 4.0], None]} == describe_item(item)["places"]
