"""Which pixels go into each one that comes out, and how they are reckoned: for bytes, as tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from trtbuild.core.errors import StepInputError
from trtbuild.data.resampling import (
    COEFFICIENT_BITS,
    Taps,
    choose_opencv,
    choose_torchvision,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.data.preprocess import Preprocess

__all__ = ["ARITHMETICS", "PILLOW_BITS", "ByteTaps", "find_taps"]

Arithmetic = Literal["floats", "two_taps", "four_taps", "pillow"]
ARITHMETICS: tuple[Arithmetic, ...] = ("floats", "two_taps", "four_taps", "pillow")
"""In float32, rounded once; in OpenCV's whole numbers of 1/2048, rounded as for two taps or as for
four; in Pillow's of 1/2^22, rounded to bytes between the axes."""
PILLOW_BITS = 22
"""PRECISION_BITS of Pillow's Resample.c."""
LOOKED_AT = 24
"""Rows, and columns, of a picture by which the order of the axes is known."""
_SOFT = -0.5
Size = tuple[int, int]


class ByteTaps(NamedTuple):
    """For each pixel of an axis [length, taps]: which go into it, and with what weight."""

    rows: NDArray[np.int32]
    row_weights: NDArray[Any]
    columns: NDArray[np.int32]
    column_weights: NDArray[Any]
    """float32 for `floats`, int32 else."""
    arithmetic: Arithmetic
    rows_first: bool = False
    """Whether rows are weighed before columns; else it is the other way round."""

    def list_rows(self) -> NDArray[np.int32]:
        """Return which rows go into any pixel, in order."""
        import numpy as np

        found: NDArray[np.int32] = np.unique(self.rows)
        return found

    def thin(self) -> ByteTaps:
        """Return the same of a picture that has these rows alone."""
        import numpy as np

        return self._replace(rows=np.searchsorted(self.list_rows(), self.rows).astype(np.int32))


def find_taps(how: Preprocess, old: Size, new: Size) -> ByteTaps:
    """Return how bytes of a picture of size `old` = (width, height) come to be those of `new`.

    The numbers are those of `fitting.fit`: what it makes of bytes, these make.
    """
    import numpy as np

    lengths = [(old[1], new[1]), (old[0], new[0])]
    if how.resize is None or old == new:
        whole = [(np.arange(size)[:, None], np.ones((size, 1))) for _, size in lengths]
        return _in_floats(whole)
    if how.resize_like == "pillow":
        return _as_pillow(lengths, how.interpolation)
    if how.resize_like == "torchvision":
        smooth = how.antialias is not False
        return _in_floats(choose_torchvision(lengths, how.interpolation, antialias=smooth))
    taps, whole_numbers = choose_opencv(lengths, how.interpolation)
    if not whole_numbers:
        return _in_floats(taps)
    one = 1 << COEFFICIENT_BITS
    fixed = [np.rint(each.astype(np.float32) * one).astype(np.int32) for _, each in taps]
    kind: Arithmetic = "four_taps" if how.interpolation == "bicubic" else "two_taps"
    return _join(taps, fixed, kind)


def _in_floats(taps: list[Taps]) -> ByteTaps:
    import numpy as np

    return _join(taps, [each.astype(np.float32) for _, each in taps], "floats")


def _join(taps: list[Taps], weights: list[NDArray[Any]], kind: Arithmetic) -> ByteTaps:
    import numpy as np

    (rows, _), (columns, _) = taps
    return ByteTaps(rows.astype(np.int32), weights[0], columns.astype(np.int32), weights[1], kind)


def _as_pillow(lengths: list[tuple[int, int]], interpolation: str) -> ByteTaps:
    import numpy as np

    if interpolation == "nearest":
        taps: list[Taps] = []
        for old, new in lengths:
            # Added up one by one, as ImagingScaleAffine (Geometry.c) does.
            steps = np.full(new, old / new)
            steps[0] *= 0.5
            at = np.add.accumulate(steps).astype(np.int64)
            taps.append((np.minimum(at, old - 1)[:, None], np.ones((new, 1))))
        return _in_floats(taps)
    made = [_pillow_axis(old, new, interpolation) for old, new in lengths]
    taps_of = _join(made, [each for _, each in made], "pillow")
    return taps_of._replace(rows_first=_find_order(taps_of, lengths, interpolation))


def _find_order(taps: ByteTaps, lengths: list[tuple[int, int]], interpolation: str) -> bool:
    """Tell whether this Pillow weighs rows first, by a picture of that size that it resizes.

    From 13 on it does where that is less work, and rounding between the axes shows which it was.

    Raises:
        StepInputError: it is neither.
    """
    import numpy as np
    from PIL import Image

    from trtbuild.data.pixels import resize_image

    (height, new_height), (width, new_width) = lengths
    if height == new_height or width == new_width:
        return False  # one axis alone
    picture = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    resized = resize_image(Image.fromarray(picture), (new_width, new_height), interpolation)
    rows, columns = (np.linspace(0, new - 1, min(new, LOOKED_AT)).astype(int) for _, new in lengths)
    seen = np.asarray(resized)[rows][:, columns]
    some = ByteTaps(
        taps.rows[rows],
        taps.row_weights[rows],
        taps.columns[columns],
        taps.column_weights[columns],
        "pillow",
    )
    for rows_first in (False, True):
        if np.array_equal(seen, _weigh(picture, some, rows_first=rows_first)):
            return rows_first
    raise StepInputError(
        "this Pillow resizes in another way than those that are known",
        hint="take `resize_like: torchvision`, which is reckoned alike everywhere",
    )


def _weigh(picture: NDArray[np.uint8], taps: ByteTaps, *, rows_first: bool) -> NDArray[Any]:
    """Weigh both axes of a gray picture as Pillow does."""
    import numpy as np

    axes = [(taps.columns, taps.column_weights, 1), (taps.rows, taps.row_weights, 0)]
    made: NDArray[Any] = picture
    for inside, weights, axis in axes[::-1] if rows_first else axes:
        total: Any = 1 << (PILLOW_BITS - 1)
        for tap in range(inside.shape[1]):
            weight = weights[:, tap].astype(np.int64)
            taken = made.take(inside[:, tap], axis).astype(np.int64)
            total = total + taken * (weight[:, None] if axis == 0 else weight)
        made = np.clip(total >> PILLOW_BITS, 0, 255)
    return made


def _pillow_axis(old: int, new: int, interpolation: str) -> Taps:
    """Weigh as Pillow's precompute_coeffs and normalize_coeffs_8bpc (src/libImaging/Resample.c)."""
    import numpy as np

    if old == new:  # that axis is not gone through
        return np.arange(new)[:, None], np.full((new, 1), 1 << PILLOW_BITS, np.int32)
    reach = {"bilinear": 1.0, "bicubic": 2.0, "lanczos": 3.0}[interpolation]
    scale = old / new
    wide = max(scale, 1.0)
    center = (np.arange(new) + 0.5) * scale
    first = np.maximum((center - reach * wide + 0.5).astype(np.int64), 0)
    end = np.minimum((center + reach * wide + 0.5).astype(np.int64), old)
    inside = first[:, None] + np.arange(int((end - first).max()))
    away = (inside - center[:, None] + 0.5) * (1.0 / wide)
    weights = {"bilinear": _triangle, "bicubic": _cubic, "lanczos": _lanczos}[interpolation](away)
    weights[inside >= end[:, None]] = 0
    total = np.zeros(new)
    for tap in range(inside.shape[1]):  # one after the other, as a C loop adds them up
        total = total + weights[:, tap]
    scaled = weights / total[:, None] * (1 << PILLOW_BITS)
    fixed = np.trunc(np.where(scaled < 0, scaled - 0.5, scaled + 0.5)).astype(np.int32)
    return np.minimum(inside, old - 1), fixed


def _triangle(away: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    made: NDArray[np.float64] = np.maximum(1 - np.abs(away), 0)
    return made


def _cubic(away: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    x = np.abs(away)
    near = ((_SOFT + 2.0) * x - (_SOFT + 3.0)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * _SOFT
    made: NDArray[np.float64] = np.where(x < 1, near, np.where(x < 2, far, 0.0))  # noqa: PLR2004
    return made


def _lanczos(away: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    def sinc(x: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled = x * math.pi
        made: NDArray[np.float64] = np.where(
            x == 0, 1.0, np.sin(scaled) / np.where(x == 0, 1.0, scaled)
        )
        return made

    inside = (away >= -3) & (away < 3)  # noqa: PLR2004  # its reach
    made: NDArray[np.float64] = np.where(inside, sinc(away) * sinc(away / 3), 0.0)
    return made
