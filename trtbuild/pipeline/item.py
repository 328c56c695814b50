"""Item: a frame on its way, and what stages have said of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.verbs.running.answers import Answer

__all__ = ["Corners", "Item"]

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the frame."""


@dataclass
class Item:
    """A frame: stages change it, one at a time."""

    number: int
    """From 0 on, in the order in which frames came."""
    name: str
    """Of the frame: its file, or its time in the video."""
    picture: np.ndarray
    """uint8 RGB [height, width, 3]."""
    pictures: list[np.ndarray] | None = None
    """What the next recipe is run on: nothing, where a function has put no picture into its list;
    the frame itself where it has put no list here."""
    places: list[Corners] = field(default_factory=list)
    """Where each of these lies in the frame, if a function that cuts them out says so."""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By stage, what its recipe says of each picture."""
    placed: dict[str, list[Corners | None]] = field(default_factory=dict)
    """By stage, where each of these pictures lies; None where nothing says it."""
    values: dict[str, Any] = field(default_factory=dict)
    """Whatever functions want to keep; written to JSON lines as far as JSON has words for it."""
    born: float = field(default_factory=time.monotonic)
    """When it came in, in seconds of a clock that only counts."""
    fed: dict[str, Any] = field(default_factory=dict)
    """What a stage's own parts hand on to each other."""

    def take_pictures(self) -> list[np.ndarray]:
        """Return what the next recipe is run on."""
        return [self.picture] if self.pictures is None else self.pictures

    @property
    def whole(self) -> Corners:
        """Where the frame itself lies."""
        height, width = self.picture.shape[:2]
        return 0.0, 0.0, float(width), float(height)

    def take_places(self) -> list[Corners | None]:
        """Return where what the next recipe is run on lies."""
        if self.pictures is None:
            return [self.whole]
        known = len(self.places) == len(self.pictures)
        return [*self.places] if known else [None] * len(self.pictures)
