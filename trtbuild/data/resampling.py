"""Resize pictures as OpenCV and as torchvision's tensors do it, without either; by NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "COEFFICIENT_BITS",
    "Taps",
    "choose_opencv",
    "choose_torchvision",
    "resize_as_opencv",
    "resize_as_torchvision",
]

Lengths = tuple[int, int]
"""Before and after."""
Taps = tuple["NDArray[Any]", "NDArray[Any]"]
"""For each pixel that comes out: which ones go into it, and with what weight; [length, taps]."""

_SHARP, _SOFT = -0.75, -0.5
"""The slope of the cubic: OpenCV's and PyTorch's, and that of Pillow and of PyTorch's
antialiasing."""
COEFFICIENT_BITS = 11
"""OpenCV's weights of bytes are whole numbers of 1/2048 (modules/imgproc/src/resize.cpp)."""


def resize_as_opencv(
    array: NDArray[Any], size: tuple[int, int], interpolation: str
) -> NDArray[Any]:
    """Return a picture [height, width, channels] in `size` = (width, height), as `cv2.resize` does.

    Nothing is averaged over what is shrunk, but with `area`. Bytes stay bytes, and are reckoned in
    OpenCV's whole numbers; floats stay float32.
    """
    import numpy as np

    lengths = list(zip(array.shape[:2], (size[1], size[0]), strict=True))
    if interpolation == "nearest":
        return _pick(array, [_floor(old, new) for old, new in lengths])
    taps, whole = choose_opencv(lengths, interpolation)
    if array.dtype != np.uint8 or not whole:
        return _resample(array, taps)
    return _resample_bytes(array, taps, rounds_twice=interpolation != "bicubic")


def choose_opencv(lengths: Sequence[Lengths], interpolation: str) -> tuple[list[Taps], bool]:
    """Return the taps of rows and of columns, and whether bytes are reckoned in whole numbers."""
    if interpolation == "nearest":
        return [_one(_floor(*each)) for each in lengths], False
    if interpolation == "area" and all(old == 2 * new for old, new in lengths):
        interpolation = "bilinear"  # OpenCV takes them for one: four pixels, halves rounded up
    if interpolation == "area" and all(old >= new for old, new in lengths):
        return [_area(*each) for each in lengths], False
    kernel = {"area": _stretched, "bilinear": _linear, "bicubic": _cubic}[interpolation]
    return [kernel(*each) for each in lengths], True


def resize_as_torchvision(
    array: NDArray[Any], size: tuple[int, int], interpolation: str, *, antialias: bool
) -> NDArray[Any]:
    """Return a picture [height, width, channels] in `size` = (width, height).

    As `torch.nn.functional.interpolate` does with floats and `align_corners=False`, which
    torchvision's `Resize` calls for tensors; bytes are rounded after it.
    """
    lengths = list(zip(array.shape[:2], (size[1], size[0]), strict=True))
    if interpolation == "nearest":
        return _pick(array, [_floor(old, new) for old, new in lengths])
    return _resample(array, choose_torchvision(lengths, interpolation, antialias=antialias))


def choose_torchvision(
    lengths: Sequence[Lengths], interpolation: str, *, antialias: bool
) -> list[Taps]:
    """Return the taps of rows and of columns."""
    if interpolation == "nearest":
        return [_one(_floor(*each)) for each in lengths]
    if antialias:
        smooth = _triangle if interpolation == "bilinear" else _soft_cubic
        reach = 1.0 if interpolation == "bilinear" else 2.0
        return [_averaged(*each, smooth, reach) for each in lengths]
    kernel = _linear if interpolation == "bilinear" else _cubic
    return [kernel(*each) for each in lengths]


def _one(index: NDArray[Any]) -> Taps:
    """Return taps that take one pixel as it is."""
    import numpy as np

    return index[:, None], np.ones((len(index), 1))


def _pick(array: NDArray[Any], indexes: list[NDArray[np.int64]]) -> NDArray[Any]:
    return array[indexes[0]][:, indexes[1]]


def _floor(old: int, new: int) -> NDArray[Any]:
    """Return the pixel below each one; neither OpenCV nor PyTorch counts from pixels' centres."""
    import numpy as np

    below = np.floor(np.arange(new) * (old / new)).astype(np.int64)
    return np.asarray(np.minimum(below, old - 1))


def _centers(old: int, new: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the pixel before the centre of each one, and how far behind that the centre lies."""
    import numpy as np

    at = ((np.arange(new) + 0.5) * (old / new) - 0.5).astype(np.float32).astype(np.float64)
    before = np.floor(at)
    return before.astype(np.int64), at - before


def _linear(old: int, new: int) -> Taps:
    import numpy as np

    before, part = _centers(old, new)
    inside = np.clip(before[:, None] + np.arange(2), 0, old - 1)
    return inside, np.stack([1 - part, part], axis=1)


def _cubic(old: int, new: int) -> Taps:
    import numpy as np

    before, part = _centers(old, new)
    inside = np.clip(before[:, None] + np.arange(-1, 3), 0, old - 1)
    weights = _bend(np.abs(part[:, None] - [-1, 0, 1, 2]), _SHARP)
    return inside, weights


def _stretched(old: int, new: int) -> Taps:
    """Weigh as OpenCV's `area` does where it has nothing to average over."""
    import numpy as np

    place = np.arange(new)
    before = np.floor(place * (old / new)).astype(np.int64)
    part = (place + 1) - (before + 1) * (new / old)
    part = np.where(part <= 0, 0, part - np.floor(part))
    inside = np.clip(before[:, None] + np.arange(2), 0, old - 1)
    return inside, np.stack([1 - part, part], axis=1)


def _area(old: int, new: int) -> Taps:
    """Weigh each pixel by how much of it lies in the one that comes out."""
    import numpy as np

    step = old / new
    begin = np.arange(new) * step
    inside = np.floor(begin + 1e-9).astype(np.int64)[:, None] + np.arange(math.ceil(step) + 1)
    ends = np.minimum(begin + step, old)[:, None]
    weights = np.clip(np.minimum(inside + 1, ends) - np.maximum(inside, begin[:, None]), 0, 1)
    weights[weights < 1e-3] = 0  # noqa: PLR2004  # OpenCV drops such slivers
    return np.minimum(inside, old - 1), weights / weights.sum(axis=1, keepdims=True)


def _averaged(
    old: int, new: int, kernel: Callable[[NDArray[np.float64]], NDArray[np.float64]], reach: float
) -> Taps:
    """Weigh by a kernel as wide as the pixels that are shrunk into one, cut at the edges."""
    import numpy as np

    wide = max(old / new, 1.0)
    center = (np.arange(new) + 0.5) * (old / new)
    first = np.maximum((center - reach * wide + 0.5).astype(np.int64), 0)
    end = np.minimum((center + reach * wide + 0.5).astype(np.int64), old)
    inside = first[:, None] + np.arange(int((end - first).max()))
    weights = kernel(np.abs(inside - center[:, None] + 0.5) / wide)
    weights[inside >= end[:, None]] = 0
    return np.minimum(inside, old - 1), weights / weights.sum(axis=1, keepdims=True)


def _triangle(away: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.maximum(1 - away, 0)


def _soft_cubic(away: NDArray[np.float64]) -> NDArray[np.float64]:
    return _bend(away, _SOFT)


def _bend(away: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
    """Return Keys' cubic convolution kernel (IEEE ASSP-29, 1981) at these distances."""
    import numpy as np

    near = ((slope + 2) * away - (slope + 3)) * away * away + 1
    far = ((away - 5) * away + 8) * away * slope - 4 * slope
    return np.where(away <= 1, near, np.where(away < 2, far, 0.0))  # noqa: PLR2004  # it ends there


def _resample(array: NDArray[Any], taps: list[Taps]) -> NDArray[Any]:
    """Weigh rows of pixels, and then columns, in float32; bytes are rounded once, half to even."""
    import numpy as np

    (rows, down), across = taps[0], taps[1]
    used, rows = np.unique(rows, return_inverse=True)
    values = _weigh(array[used], across[0], across[1].astype(np.float32), axis=1)
    values = _weigh(values, rows.reshape(down.shape), down.astype(np.float32), axis=0)
    if array.dtype == np.uint8:
        return np.asarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    return np.asarray(values)


def _resample_bytes(array: NDArray[Any], taps: list[Taps], *, rounds_twice: bool) -> NDArray[Any]:
    """Weigh bytes in OpenCV's whole numbers: two taps lose bits between the axes, four do not."""
    import numpy as np

    one = 1 << COEFFICIENT_BITS
    (rows, down), (columns, across) = taps
    whole: list[NDArray[Any]] = [
        np.rint(each.astype(np.float32) * one).astype(np.int32) for each in (down, across)
    ]
    used, rows = np.unique(rows, return_inverse=True)
    rows = rows.reshape(down.shape)
    values = _weigh(array[used], columns, whole[1], axis=1)
    if not rounds_twice:
        total = _weigh(values, rows, whole[0], axis=0)
        half = 1 << (2 * COEFFICIENT_BITS - 1)
        rounded = (total + half) >> (2 * COEFFICIENT_BITS)
    else:
        values >>= 4
        parts = [(values[rows[:, tap]] * whole[0][:, tap, None, None]) >> 16 for tap in range(2)]
        rounded = (parts[0] + parts[1] + 2) >> 2
    return np.asarray(np.clip(rounded, 0, 255).astype(np.uint8))


def _weigh(
    values: NDArray[Any], inside: NDArray[Any], weights: NDArray[Any], *, axis: Literal[0, 1]
) -> NDArray[Any]:
    """Add up the taps one after the other: a matrix product sums as the processor likes it."""
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    if inside.size > values.shape[axis]:
        values = values.astype(weights.dtype)  # all at once: else each is, as often as it is taken
    total: Any = 0
    for tap in range(inside.shape[1]):
        taken = values.take(inside[:, tap], axis).astype(weights.dtype, copy=False)
        total = total + taken * weights[:, tap].reshape(shape)
    return total  # type: ignore[no-any-return]  # there is a tap at least
