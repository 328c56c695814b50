"""Detections drawn into pictures and videos."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from trtbuild.core.errors import StepInputError
from trtbuild.core.escape import escape_controls
from trtbuild.core.files import replace_whole
from trtbuild.verbs.running.answers import ClassMap, ScoredBox

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.data.view import View

__all__ = [
    "FORMATS",
    "VideoFile",
    "draw_boxes",
    "draw_classes",
    "draw_lines",
    "join_side_by_side",
    "write_picture",
]

_COLOURS = (
    (230, 60, 50), (40, 120, 220), (50, 160, 70), (240, 150, 20), (150, 80, 200),
    (0, 160, 170), (220, 70, 150), (130, 120, 40),
)  # fmt: skip
_PART_OF_SIDE = 300
"""A line is one pixel thick for each of so many of the picture's longer side."""
FORMATS = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov", ".avi": "avi"}
"""What FFmpeg calls the files that videos are written as, by suffix."""


def draw_boxes(picture: np.ndarray, boxes: Iterable[ScoredBox], title: str = "") -> np.ndarray:
    """Return a picture (uint8 RGB [height, width, 3]) with boxes, their classes and scores."""
    import numpy as np
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    thick = max(1, max(image.size) // _PART_OF_SIDE)
    for box in boxes:
        colour = _COLOURS[box.number % len(_COLOURS)]
        left, top, right, bottom = box.corners
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=thick)
        told = f"{box.name or f'class {box.number}'}  {box.score:.2f}"
        _write(draw, (left, top), told, colour)
    if title:
        _write(draw, (0, 12), title, (20, 20, 20))
    return np.asarray(image)


def draw_classes(picture: np.ndarray, found: ClassMap) -> np.ndarray:
    """Return a picture (uint8 RGB [height, width, 3]) tinted by the class of each pixel.

    What the model did not see of it stays as it is.
    """
    import numpy as np

    sides = zip(picture.shape[:2], found.classes.shape, (1, 0), strict=True)
    rows, columns = (_place(length, own, found.view, axis) for length, own, axis in sides)
    seen = (rows >= 0)[:, None] & (columns >= 0)
    shown = found.classes[np.ix_(np.maximum(rows, 0), np.maximum(columns, 0))]
    tints = np.array(_COLOURS)[np.maximum(shown, 0) % len(_COLOURS)]
    mixed = (picture.astype(np.float64) + tints) / 2
    return np.where(seen[:, :, None], mixed, picture).astype(np.uint8)


def _place(length: int, own: int, view: View | None, axis: int) -> np.ndarray:
    """Return the row (or column) of a map that each row of a picture lies in; -1 for none."""
    import numpy as np

    at = np.arange(length) + 0.5
    if view is None:
        at *= own / length
    else:
        at = (at * view.resized[axis] / view.original[axis] - view.corner[axis]) * own
        at /= view.size[axis]
    return np.where((at >= 0) & (at < own), np.floor(at), -1).astype(np.int64)


def _write(draw: object, place: tuple[float, float], text: str, colour: tuple[int, ...]) -> None:
    from PIL import ImageDraw

    assert isinstance(draw, ImageDraw.ImageDraw)  # noqa: S101  # typed loosely: Pillow loads late
    told = escape_controls(text).encode("latin-1", "replace").decode("latin-1")
    x, y = place[0], max(0.0, place[1] - 12)
    draw.rectangle(draw.textbbox((x, y), told), fill=colour)
    draw.text((x, y), told, fill=(255, 255, 255))


def draw_lines(picture: np.ndarray, lines: Iterable[str]) -> np.ndarray:
    """Return a picture with lines of text at its top."""
    import numpy as np
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for place, line in enumerate(lines, start=1):
        _write(draw, (0, 12 * place), line, (20, 20, 20))
    return np.asarray(image)


def join_side_by_side(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return pictures of one height as one."""
    import numpy as np

    return np.concatenate(list(pictures), axis=1)


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture as PNG, whole or not at all."""
    from PIL import Image

    with replace_whole(path) as part:
        Image.fromarray(picture).save(part, format="PNG")


class VideoFile:
    """A video that is written frame by frame: H.264 where this PyAV has it, else MPEG-4.

    It takes its place when it is done.
    """

    def __init__(self, path: Path, rate: Fraction) -> None:
        """Take where it shall lie, named as one of `FORMATS`, and its frames a second."""
        self._path = path
        self._rate = rate
        self._whole = contextlib.ExitStack()
        self._stream: Any = None
        self._size: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        import av

        form = FORMATS[self._path.suffix.lower()]
        with contextlib.ExitStack() as whole:
            part = whole.enter_context(replace_whole(self._path))
            self._container = whole.enter_context(av.open(str(part), "w", format=form))
            whole.push(self._end)
            self._whole = whole.pop_all()
        return self

    def _end(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what the encoder holds back, if all went well so far."""
        if self._stream is not None and kind is None:
            self._container.mux(self._stream.encode())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._whole.__exit__(kind, error, trace)

    def add(self, picture: np.ndarray) -> None:
        """Add a frame, uint8 RGB [height, width, 3]; of odd sizes, a line less.

        Raises:
            StepInputError: it is not of the first one's size.
        """
        import av

        self._size = self._size or picture.shape
        if picture.shape != self._size:
            height, width = picture.shape[:2]
            raise StepInputError(
                f"{self._path.name}: a frame is {width}x{height}, and the first one is "
                f"{self._size[1]}x{self._size[0]}: a video has one size",
                hint="leave the video out, or make all pictures of one size first",
            )
        if self._stream is None:
            codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
            self._stream = self._container.add_stream(codec, rate=self._rate)
            height, width = (size - size % 2 for size in picture.shape[:2])
            self._stream.height, self._stream.width = height, width
            self._stream.pix_fmt = "yuv420p"  # which needs even sizes
        cut = picture[: self._stream.height, : self._stream.width].copy()
        frame = av.VideoFrame.from_ndarray(cut, format="rgb24")
        self._container.mux(self._stream.encode(frame))
