"""What functions and programs hand on, held to what an item is."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.pipeline.handed_on import demand_sound
from trtbuild.pipeline.item import Item
from trtbuild.verbs.running.answers import Answer

PICTURE = np.zeros((8, 6, 3), np.uint8)
CORNERS = (1, 2.5, np.float32(3), 4)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"pictures": (PICTURE[:2], PICTURE[..., 0], PICTURE.astype("f4"))},
        {"pictures": [PICTURE], "places": [CORNERS]},
        {"pictures": []},
        {"places": [CORNERS]},
        {"pictures": [PICTURE, PICTURE]},
        {"values": {"a": object()}, "answers": {"find": [Answer()]}},
    ],
)
def test_what_stages_can_work_on_is_handed_on(change):
    """Pictures cut out, with or without where they lie; whatever a function wants to keep."""
    demand_sound(Item(0, "f", PICTURE, **change), "it")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"picture": None}, r"`picture` is NoneType, and uint8 RGB \[height, width, 3\]"),
        ({"picture": PICTURE[..., 0]}, r"`picture` is uint8 \[8, 6\]"),
        ({"picture": PICTURE[:0]}, r"`picture` is uint8 \[0, 6, 3\]"),
        ({"picture": PICTURE.astype("f4")}, "`picture` is float32"),
        ({"pictures": 3}, "`pictures` is int, and a list"),
        ({"pictures": np.stack([PICTURE])}, r"`pictures` is uint8 \[1, 8, 6, 3\], and a list"),
        ({"pictures": [PICTURE, PICTURE[3:3]]}, r"picture 1 is uint8 \[0, 6, 3\]"),
        ({"pictures": ["a"]}, "picture 0 is str"),
        ({"pictures": [PICTURE.astype("f8")]}, "picture 0 is float64"),
        ({"places": "abc"}, "`places` is str"),
        ({"places": [(1, 2)]}, r"place 0 is \(1, 2\), and \(left, top, right, bottom\)"),
        ({"places": [(float("nan"), 0, 1, 1)]}, "place 0 is"),
        (
            {"pictures": [PICTURE], "places": [CORNERS, CORNERS]},
            "there are 1 pictures, and 2 places",
        ),
        ({"values": None}, "`values` is no dict"),
        ({"values": {(1, 2): 3}}, "`values` is no dict whose keys are text"),
        ({"answers": []}, "`answers` is list"),
        ({"answers": {"mine": [3]}}, "`answers` of `mine` is no list of Answers"),
        ({"name": 3}, "`name` is int"),
    ],
)
def test_what_is_no_item_is_told(change, told):
    """In a sentence that begins with whose it is, before anything works on it."""
    item = Item(**{"number": 0, "name": "f", "picture": PICTURE, **change})

    with pytest.raises(StepInputError, match=f"^stage `x`: {told}"):
        demand_sound(item, "stage `x`")
