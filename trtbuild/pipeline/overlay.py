"""A frame with what stages say of it drawn where it lies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trtbuild.pipeline.item import Corners, Item
from trtbuild.verbs.running.answers import Answer, ScoredBox
from trtbuild.verbs.running.drawing import draw_boxes, draw_classes, draw_lines

if TYPE_CHECKING:
    import numpy as np

__all__ = ["draw_item"]


def draw_item(item: Item) -> np.ndarray:
    """Return a frame with boxes, classes and maps on it: uint8 RGB [height, width, 3].

    What is said of a picture that a function cut out is drawn where that lies, if it says so.
    """
    picture = item.picture
    whole = item.whole
    for stage, answers in item.answers.items():
        for answer, place in zip(answers, item.placed.get(stage, ()), strict=False):
            if place == whole:
                picture = _draw_whole(picture, answer)
            elif place is not None:
                picture = draw_boxes(picture, _move(answer, place))
    return picture


def _draw_whole(picture: np.ndarray, answer: Answer) -> np.ndarray:
    if answer.boxes is not None:
        return draw_boxes(picture, answer.boxes)
    if answer.classes:
        return draw_lines(picture, [f"{each.name} {each.score:.2f}" for each in answer.classes])
    return draw_classes(picture, answer.class_map) if answer.class_map is not None else picture


def _move(answer: Answer, place: Corners) -> list[ScoredBox]:
    """Return what is said of a picture as boxes in the frame; a class is a box around it."""
    left, top = place[:2]
    if answer.boxes is None:
        return [ScoredBox(place, x.number, x.name, x.score) for x in answer.classes[:1]]
    moved = []
    for each in answer.boxes:
        a, b, c, d = each.corners
        moved.append(replace(each, corners=(a + left, b + top, c + left, d + top)))
    return moved
