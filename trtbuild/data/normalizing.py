"""From pixels to the numbers a model takes, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.data.preprocess import Preprocess

__all__ = ["normalize", "undo"]


def normalize(how: Preprocess, array: NDArray[Any]) -> NDArray[Any]:
    """Return what the model takes of pixels [height, width, channels], RGB or gray."""
    import numpy as np

    if how.color == "bgr":
        array = array[..., ::-1]
    if how.dtype == "uint8":
        values = np.clip(np.rint(array), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.moveaxis(values, -1, 0) if how.layout == "chw" else values)
    # Channels first throughout: ten times faster than with a last axis of three.
    values = np.moveaxis(array, -1, 0).astype(np.float32, order="C")
    divisor = round(1 / how.scale)
    with np.errstate(over="ignore"):  # the capture refuses infinities, and says where
        if divisor >= 1 and 1 / divisor == how.scale:
            values /= np.float32(divisor)
        else:
            values *= np.float32(how.scale)
        if how.mean:
            values -= np.array(how.mean, np.float32).reshape(-1, 1, 1)
        if how.std:
            values /= np.array(how.std, np.float32).reshape(-1, 1, 1)
        if how.layout == "hwc":
            values = np.ascontiguousarray(np.moveaxis(values, 0, -1))
        return values.astype(how.dtype, copy=False)


def undo(how: Preprocess, array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the pixels [height, width, 3], RGB, that an array for the model shows.

    Exact for what `normalize` made of bytes; what lies beyond 0..255 is cut off.
    """
    import numpy as np

    values = np.asarray(array, np.float64)
    if how.layout == "chw":
        values = np.moveaxis(values, 0, -1)
    if how.std:
        values = values * how.std
    if how.mean:
        values = values + how.mean
    values = values / how.scale
    if how.color == "bgr":
        values = values[..., ::-1]
    pixels = np.clip(np.rint(np.nan_to_num(values)), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
