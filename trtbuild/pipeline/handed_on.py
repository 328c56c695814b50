"""What a function, or a program, hands on: held to what an item is before anything works on it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.verbs.running.answers import Answer

if TYPE_CHECKING:
    from trtbuild.pipeline.item import Item

__all__ = ["demand_sound"]

_ROWS = (list, tuple)
_FRAME = "uint8 RGB [height, width, 3]"
_PICTURE = "[height, width] or [height, width, channels], uint8 or float32"
_HINT = "see `trtbuild.pipeline.item.Item`; a function returns None to leave a frame out"


def demand_sound(item: Item, whose: str) -> None:
    """Demand that an item is one that all stages can work on; `whose` begins the message.

    Raises:
        StepInputError: it is not; says what of it.
    """
    for why in _list_faults(item):
        raise StepInputError(f"{whose}: {why}", hint=_HINT)


def _list_faults(item: Any) -> Iterator[str]:
    if not isinstance(item.name, str):
        yield f"`name` is {type(item.name).__name__}, and text is taken"
    if not _is_array(item.picture, ("uint8",)) or item.picture.shape[2:] != (3,):
        yield f"`picture` is {_tell(item.picture)}, and {_FRAME} is taken"
    yield from _list_faults_of_pictures(item.pictures, item.places)
    if not isinstance(item.values, dict) or not all(isinstance(each, str) for each in item.values):
        yield "`values` is no dict whose keys are text"
    if not isinstance(item.answers, dict):
        yield f"`answers` is {type(item.answers).__name__}, and a dict by stages is taken"
        return
    for name, answers in item.answers.items():
        sound = isinstance(answers, _ROWS) and all(isinstance(each, Answer) for each in answers)
        if not sound or not isinstance(name, str):
            yield f"`answers` of `{name}` is no list of Answers; keep what is your own in `values`"


def _list_faults_of_pictures(pictures: Any, places: Any) -> Iterator[str]:
    if pictures is not None and not isinstance(pictures, _ROWS):
        yield f"`pictures` is {_tell(pictures)}, and a list of arrays is taken"
        return
    for number, each in enumerate(pictures or ()):
        if not _is_array(each, ("uint8", "float32")):
            yield f"picture {number} is {_tell(each)}, and {_PICTURE} is taken"
    if not isinstance(places, _ROWS):
        yield f"`places` is {_tell(places)}, and a list of corners is taken"
        return
    for number, place in enumerate(places):
        if not _is_place(place):
            yield f"place {number} is {place!r}, and (left, top, right, bottom) is taken"
    if pictures and places and len(places) != len(pictures):
        yield f"there are {len(pictures)} pictures, and {len(places)} places where they lie"


def _is_array(given: Any, dtypes: tuple[str, ...]) -> bool:
    """Tell an array of pixels that is not empty."""
    shape = getattr(given, "shape", ())
    return str(getattr(given, "dtype", "")) in dtypes and len(shape) in {2, 3} and 0 not in shape


def _is_place(place: Any) -> bool:
    try:
        left, top, right, bottom = place
        return all(math.isfinite(each) for each in (left, top, right, bottom))
    except (TypeError, ValueError):
        return False


def _tell(given: Any) -> str:
    shape = getattr(given, "shape", None)
    return type(given).__name__ if shape is None else f"{given.dtype} {list(shape)}"
