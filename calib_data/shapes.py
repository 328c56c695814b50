"""Scenes for a detector: shapes drawn into photographs, with the box and the class of each.

The photographs are those of photos.py, and keep its splits; nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from calib_data.photos import photos

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

CLASSES = ("disc", "ring", "square", "cross", "triangle")
MOST, SMALLEST, LARGEST = 6, 0.1, 0.4  # shapes of a scene; their widths as shares of the scene's
OVERLAP = 0.1  # the most that two boxes share of their union
SEEDS = {"train": 1, "calib": 2, "eval": 3}
PHOTOS = {"train": "calib", "calib": "calib", "eval": "eval"}
HALF = 0.5
SOFT = 0.7  # an edge fades over about so many pixels


@dataclass(frozen=True)
class Shape:
    """A shape: its class, centre and half width in pixels, its turn in radians, its colours."""

    kind: int
    x: float
    y: float
    half: float
    turn: float
    colours: NDArray[np.float64]
    """[2, 3]: RGB in 0..255 at the top and at the bottom."""


def shapes(
    split: str, count: int = 256, size: int = 128, first: int = 0
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Yield `input`: uint8 [size, size, 3] in RGB, and `boxes`: float32 [n, 5], for each scene.

    A box is class, left, top, right, bottom; the sides in pixels. A split is `train`, `calib` or
    `eval`; the first two share photographs, and no scene. A `first` leaves out so many scenes.
    """
    if split not in SEEDS:
        raise ValueError(
            f"there is no split `{split}` of the shapes; take one of {', '.join(SEEDS)}"
        )
    for index, photo in islice(enumerate(photos(PHOTOS[split], first + count, size)), first, None):
        picture, boxes = compose(photo["input"], (SEEDS[split], index))
        yield {"input": picture, "boxes": boxes}


def compose(
    photo: NDArray[np.uint8], seed: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Draw shapes into a photograph [size, size, 3]; return it, and the boxes [n, 5]."""
    import numpy as np

    chance = np.random.default_rng(seed)
    picture, size = photo.astype(np.float64), len(photo)
    boxes: list[tuple[float, ...]] = []
    for _ in range(int(chance.integers(1, MOST + 1))):
        shape = _drawn_by_lot(chance, size)
        cover = _cover(shape, size)
        box = _box_of(cover)
        if box is None or any(_overlap(box, other[1:]) > OVERLAP for other in boxes):
            continue
        slope = np.clip((np.arange(size) - shape.y) / (2 * shape.half) + 0.5, 0, 1)[:, None, None]
        colour = shape.colours[0] * (1 - slope) + shape.colours[1] * slope
        grain = chance.normal(0, 6, (size, size, 1))
        picture += cover[:, :, None] * (colour + grain - picture)
        boxes.append((float(shape.kind), *box))
    whole = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return whole, np.asarray(boxes, np.float32).reshape(-1, 5)


def _drawn_by_lot(chance: np.random.Generator, size: int) -> Shape:
    half = size * float(chance.uniform(SMALLEST, LARGEST)) / 2
    x, y = chance.uniform(half * 0.7, size - half * 0.7, 2)
    return Shape(
        kind=int(chance.integers(len(CLASSES))),
        x=float(x),
        y=float(y),
        half=half,
        turn=float(chance.uniform(0, 6.2832)),
        colours=chance.uniform(0, 255, (2, 3)),
    )


def _cover(shape: Shape, size: int) -> NDArray[np.float64]:
    """Return how much of each pixel a shape covers, 0..1."""
    import numpy as np

    down, right = np.mgrid[:size, :size] + 0.5
    right, down = (right - shape.x) / shape.half, (down - shape.y) / shape.half
    cos, sin = np.cos(shape.turn), np.sin(shape.turn)
    x, y = right * cos + down * sin, down * cos - right * sin
    distance = (_disc, _ring, _square, _cross, _triangle)[shape.kind](x, y)
    return np.clip(0.5 - distance * shape.half / SOFT, 0, 1)


# Signed distances to each shape's edge (or bounds of them), below 0 inside; a shape lies in -1..1.


def _disc(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.hypot(x, y) - 1


def _ring(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.abs(np.hypot(x, y) - 0.75) - 0.25


def _square(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.maximum(np.abs(x), np.abs(y)) - 0.8


def _cross(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    x, y = np.abs(x), np.abs(y)
    return np.minimum(np.maximum(x - 1, y - 0.3), np.maximum(x - 0.3, y - 1))


def _triangle(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    sides = [x * np.sin(turn) - y * np.cos(turn) for turn in (0.0, 2.0944, 4.1888)]
    return np.maximum(np.maximum(sides[0], sides[1]), sides[2]) - 0.5


def _box_of(cover: NDArray[np.float64]) -> tuple[float, float, float, float] | None:
    """Return left, top, right, bottom of what is covered by half at least."""
    import numpy as np

    rows, columns = (np.flatnonzero((cover >= HALF).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the intersection of two boxes over their union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (areas - width * height)
