"""What is said of a frame is drawn where it lies."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pipeline.conftest import paint
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.overlay import draw_item
from trtbuild.verbs.running.answers import Answer, ScoredBox, ScoredClass

INNER = ScoredBox((0.0, 0.0, 4.0, 4.0), 1, "", 0.5)
CUT = (40.0, 50.0, 60.0, 62.0)


def drawn(answer, place):
    """Return which pixels of a black frame are drawn on."""
    item = Item(0, "f", np.zeros((64, 64, 3), np.uint8))
    item.answers["s"], item.placed["s"] = [answer], [place]
    return draw_item(item).any(axis=2)


@pytest.mark.parametrize(
    "answer",
    [Answer(boxes=(INNER,)), Answer(classes=(ScoredClass(1, "", 0.5),))],
    ids=["a box in it", "its class"],
)
def test_what_is_said_of_a_cut_out_is_drawn_where_that_lies(answer):
    """A box is moved, a class is a box around it; nothing is drawn at the frame's corner."""
    seen = drawn(answer, CUT)

    assert seen[50, 40]
    assert not seen[:30].any()
    assert answer.boxes is not None or seen[62, 60]


def test_what_nobody_knows_the_place_of_is_not_drawn():
    """A box at a wrong place is worse than none."""
    assert not drawn(Answer(boxes=(INNER,)), None).any()
    assert drawn(Answer(boxes=(INNER,)), (0.0, 0.0, 64.0, 64.0))[0, 0]


def test_a_function_says_where_it_cuts(run, project):
    """The next recipe's answers are told with it; that of the frame itself is no cut."""
    (project / "cut.py").write_text(
        "def cut(item):\n"
        "    item.pictures, item.places = [item.picture[2:]], [(0, 2, 8, 8)]\n"
        "    return item\n"
    )
    model = {"recipe": "mean.yaml", "threads": 1}
    _, (line,) = run({"all": model, "cut": {"python": "cut.py:cut"}, "part": model}, paint(1))

    assert {"part": [[0, 2, 8, 8]]} == line["places"]
