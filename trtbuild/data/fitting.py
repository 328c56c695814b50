"""Resize, letterbox and crop: which pixels of a picture a model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.data import pixels
from trtbuild.data.resampling import resize_as_opencv, resize_as_torchvision
from trtbuild.data.view import View

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from trtbuild.data.preprocess import Preprocess

__all__ = ["find_canvas", "find_view", "fit"]

Size = tuple[int, int]


def find_canvas(how: Preprocess) -> Size | None:
    """Return height and width of every resized picture; None where each has its own."""
    if isinstance(how.resize, int) and how.fit == "letterbox":
        return (how.resize, how.resize)
    return how.resize if isinstance(how.resize, tuple) else None


def find_view(how: Preprocess, width: int, height: int) -> View:
    """Return where the pixels of a picture of this size come to lie."""
    canvas = resized = (width, height)
    left = top = 0
    if how.resize is not None:
        canvas = resized = pixels.find_size(width, height, how.resize, longest=how.fit == "longest")
    box = find_canvas(how)
    if how.fit == "letterbox" and box is not None:
        canvas = (box[1], box[0])
        resized = _fit_into(canvas, width, height)
        if how.align == "center":
            left, top = (_before(*pair) for pair in zip(canvas, resized, strict=True))
    crop = how.crop or (canvas[1], canvas[0])
    corner = (_center(canvas[0], crop[1]) - left, _center(canvas[1], crop[0]) - top)
    return View((width, height), resized, corner, (crop[1], crop[0]))


def _fit_into(canvas: Size, width: int, height: int) -> Size:
    ratio = min(canvas[0] / width, canvas[1] / height)
    return (max(1, round(width * ratio)), max(1, round(height * ratio)))


def _before(whole: int, part: int) -> int:
    """Return how much padding comes first: of an odd rest the smaller half, as in YOLO's own."""
    return (whole - part) // 2


def _center(size: int, crop: int) -> int:
    """Return where a part begins; half pixels round to even, as torchvision's center_crop does."""
    return round((size - crop) / 2)


def fit(how: Preprocess, picture: Image.Image | NDArray[Any], name: str) -> NDArray[Any]:
    """Return a picture resized, padded and cropped: [height, width, channels].

    Raises:
        StepInputError: it is smaller than the crop, or would become absurdly large.
    """
    import numpy as np

    height, width = picture.shape[:2] if isinstance(picture, np.ndarray) else picture.size[::-1]
    view = find_view(how, width, height)
    array = _resize(how, picture, view.resized, name)
    array = array.reshape(*array.shape[:2], -1)
    if how.fit == "letterbox":
        array = _pad(how, array, view)
    return _crop(how, array, name)


def _resize(
    how: Preprocess, picture: Image.Image | NDArray[Any], size: Size, name: str
) -> NDArray[Any]:
    import numpy as np
    from PIL import Image

    height, width = picture.shape[:2] if isinstance(picture, np.ndarray) else picture.size[::-1]
    if how.resize is None or ((width, height) == size and how.resize_like != "pillow"):
        return np.asarray(picture)
    pixels.demand_sane_target((width, height), size, name)
    if how.resize_like == "pillow":
        if not isinstance(picture, np.ndarray):
            return np.asarray(pixels.resize_image(picture, size, how.interpolation))
        planes = [
            pixels.resize_image(Image.fromarray(plane), size, how.interpolation)
            for plane in np.ascontiguousarray(np.moveaxis(picture, -1, 0))
        ]
        return np.stack([np.asarray(plane) for plane in planes], axis=-1)
    array = np.asarray(picture).reshape(height, width, -1)
    if how.resize_like == "opencv":
        return resize_as_opencv(array, size, how.interpolation)
    smooth = how.antialias is not False
    return resize_as_torchvision(array, size, how.interpolation, antialias=smooth)


def _pad(how: Preprocess, array: NDArray[Any], view: View) -> NDArray[Any]:
    import numpy as np

    box = find_canvas(how)
    assert box is not None  # noqa: S101  # a letterbox has a size
    canvas = np.full((*box, array.shape[2]), how.pad, array.dtype)
    width, height = view.resized
    left = _before(box[1], width) if how.align == "center" else 0
    top = _before(box[0], height) if how.align == "center" else 0
    canvas[top : top + height, left : left + width] = array
    return canvas


def _crop(how: Preprocess, array: NDArray[Any], name: str) -> NDArray[Any]:
    if how.crop is None:
        return array
    height, width = array.shape[:2]
    if height < how.crop[0] or width < how.crop[1]:
        size, wanted = f"{height}x{width}", f"{how.crop[0]}x{how.crop[1]}"
        raise StepInputError(
            f"{name}: is {size} (height x width), smaller than the crop {wanted}",
            hint="resize to at least the crop's size, or crop less",
        )
    top, left = _center(height, how.crop[0]), _center(width, how.crop[1])
    return array[top : top + how.crop[0], left : left + how.crop[1]]
