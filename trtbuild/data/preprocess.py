"""From a decoded picture to the array a model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from trtbuild.core.errors import StepInputError
from trtbuild.core.frozen import frozen
from trtbuild.core.options import Options
from trtbuild.data import pixels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["Preprocess", "View"]

Pixels = Annotated[int, Field(gt=0, le=65536)]


@frozen
class View:
    """Where the pixels of a picture come to lie; sizes are (width, height)."""

    original: tuple[int, int]
    resized: tuple[int, int]
    corner: tuple[int, int]
    """Left and top of what is cut out of the resized picture."""
    size: tuple[int, int]
    """Of what the model takes."""


def _center(size: int, crop: int) -> int:
    """Return where a part begins; half pixels round to even, as torchvision's center_crop does."""
    return round((size - crop) / 2)


class Preprocess(Options):
    """colour → resize → crop → scale → normalize → layout, in this order; float32 comes out.

    With `resize: 256`, `crop: [224, 224]` and ImageNet's mean and std it does bit for bit what
    torchvision's Resize, CenterCrop, ToTensor and Normalize do with a PIL image.
    """

    resize: Pixels | tuple[Pixels, Pixels] | None = None
    """Size in pixels after resizing: of the shorter side, the other keeping the proportions (cut
    to a whole pixel), or [height, width]; without it the size stays."""
    crop: tuple[Pixels, Pixels] | None = None
    """[height, width] in pixels of the part to cut from the centre; a smaller picture is an error,
    never padded."""
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bilinear"
    """How to resize; all but `nearest` average over the pixels they shrink (antialiasing), as
    Pillow does."""
    color: Literal["rgb", "bgr", "gray"] = "rgb"
    """Channels and their order; `gray` is 0.299 R + 0.587 G + 0.114 B. Transparency is dropped."""
    scale: Annotated[float, Field(gt=0)] = 1 / 255
    """What pixel values 0..255 are multiplied by; by default they become 0..1. Where 1/scale is a
    whole number, values are divided by it, which rounds better."""
    mean: tuple[float, ...] = ()
    """Subtracted after scaling: one number for each channel in the order of `color`, or one for
    all; nothing by default."""
    std: tuple[Annotated[float, Field(gt=0)], ...] = ()
    """Divided by after the mean: one number for each channel in the order of `color`, or one for
    all; nothing by default."""
    layout: Literal["chw", "hwc"] = "chw"
    """Order of the axes: channels first (PyTorch) or last (TensorFlow)."""

    @field_validator("mean", "std")
    @classmethod
    def _one_a_channel(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        channels = 1 if info.data.get("color") == "gray" else 3
        if len(value) not in {0, 1, channels}:
            wanted = "1" if channels == 1 else "3 (one a channel) or 1 (for all)"
            raise ValueError(f"`{info.field_name}` has {len(value)} numbers; write {wanted}")
        return value

    def find_shape(self) -> tuple[int | str, ...]:
        """Return the shape that every picture comes to have, a `?` for each size of its own."""
        size = self.crop or (self.resize if isinstance(self.resize, tuple) else ("?", "?"))
        channels = 1 if self.color == "gray" else 3
        return (channels, *size) if self.layout == "chw" else (*size, channels)

    def apply(self, picture: Image.Image | NDArray[Any], name: str) -> NDArray[np.float32]:
        """Return the float32 array, [channels, height, width] or channels last, of a picture.

        It may be a PIL image or an array, [height, width] or [height, width, 1 or 3 (RGB)]; uint8
        arrays (4 channels are RGBA) are resized as PIL images, rounding to whole values, and
        floating-point ones without rounding. `name` says in errors which sample it is.

        Raises:
            StepInputError: it is no such picture, or smaller than the crop.
        """
        import numpy as np

        channels: Literal["L", "RGB"] = "L" if self.color == "gray" else "RGB"
        if isinstance(picture, np.ndarray):
            picture = pixels.image_from_array(picture, name)
        if isinstance(picture, np.ndarray):
            array = self._resize(pixels.convert_color(picture, channels), name)
        else:
            image = pixels.convert_color_mode(picture, channels, name)
            array = np.asarray(self._resize_image(image, name))
            array = array.reshape(*array.shape[:2], -1)
        array = self._crop(array, name)
        return self._normalize(array[..., ::-1] if self.color == "bgr" else array)

    def view(self, width: int, height: int) -> View:
        """Return where the pixels of a picture of this size come to lie in what the model takes."""
        resized = (width, height)
        if self.resize is not None:
            resized = pixels.find_size(width, height, self.resize)
        crop = self.crop or (resized[1], resized[0])
        top, left = _center(resized[1], crop[0]), _center(resized[0], crop[1])
        return View((width, height), resized, (left, top), (crop[1], crop[0]))

    def _resize_image(self, image: Image.Image, name: str) -> Image.Image:
        if self.resize is None:
            return image
        return pixels.resize_image(image, self.resize, interpolation=self.interpolation, name=name)

    def _resize(self, array: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        import numpy as np
        from PIL import Image

        if self.resize is None:
            return array
        planes = [
            self._resize_image(Image.fromarray(plane), name)
            for plane in np.ascontiguousarray(np.moveaxis(array, -1, 0))
        ]
        return np.stack([np.asarray(plane) for plane in planes], axis=-1)

    def _crop(self, array: NDArray[Any], name: str) -> NDArray[Any]:
        if self.crop is None:
            return array
        height, width = array.shape[:2]
        if height < self.crop[0] or width < self.crop[1]:
            size, wanted = f"{height}x{width}", f"{self.crop[0]}x{self.crop[1]}"
            raise StepInputError(
                f"{name}: is {size} (height x width), smaller than the crop {wanted}",
                hint="resize to at least the crop's size, or crop less",
            )
        top, left = _center(height, self.crop[0]), _center(width, self.crop[1])
        return array[top : top + self.crop[0], left : left + self.crop[1]]

    def _normalize(self, array: NDArray[Any]) -> NDArray[np.float32]:
        import numpy as np

        # Channels first throughout: ten times faster than with a last axis of three.
        values = np.moveaxis(array, -1, 0).astype(np.float32, order="C")
        divisor = round(1 / self.scale)
        with np.errstate(over="ignore"):  # the capture refuses infinities, and says where
            if divisor >= 1 and 1 / divisor == self.scale:
                values /= np.float32(divisor)
            else:
                values *= np.float32(self.scale)
            if self.mean:
                values -= np.array(self.mean, np.float32).reshape(-1, 1, 1)
            if self.std:
                values /= np.array(self.std, np.float32).reshape(-1, 1, 1)
        if self.layout == "hwc":
            values = np.ascontiguousarray(np.moveaxis(values, 0, -1))
        return values
