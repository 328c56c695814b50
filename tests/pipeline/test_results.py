"""What is written of frames."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tests.pipeline.conftest import paint
from trtbuild.core.errors import UsageError
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.results import describe_item
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


def test_a_video_that_cannot_be_written_is_told(run):
    """With what can."""
    with pytest.raises(UsageError, match=r"out\.gif: is no video that can be written"):
        run({"colour": MODEL}, paint(1), video="out.gif")


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


def test_a_line_says_where_pictures_lie_that_were_cut_out():
    """Boxes in them are told as they are in the picture."""
    item = Item(0, "f", np.zeros((8, 8, 3), np.uint8))
    item.answers["name"], item.placed["name"] = [Answer(), Answer()], [(1.0, 2.0, 3.004, 4.0), None]

    assert {"name": [[1.0, 2.0, 3.0, 4.0], None]} == describe_item(item)["places"]
