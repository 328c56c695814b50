"""From a decoded picture to the array a model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from trtbuild.core.options import Options
from trtbuild.data.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["Preprocess", "View"]

Pixels = Annotated[int, Field(gt=0, le=65536)]
_INTERPOLATIONS = {
    "pillow": ("nearest", "bilinear", "bicubic", "lanczos"),
    "opencv": ("nearest", "bilinear", "bicubic", "area"),
    "torchvision": ("nearest", "bilinear", "bicubic"),
}


class Preprocess(Options):
    """colour → resize → crop → scale → normalize → layout → dtype, in this order.

    With `resize: 256`, `crop: [224, 224]` and ImageNet's mean and std it does bit for bit what
    torchvision's Resize, CenterCrop, ToTensor and Normalize do with a PIL image.
    """

    resize: Pixels | tuple[Pixels, Pixels] | None = None
    """Size in pixels after resizing: of one side, the other keeping the proportions (cut to a whole
    pixel), or [height, width]; without it the size stays. See `fit`."""
    fit: Literal["stretch", "shortest", "longest", "letterbox"] | None = None
    """What becomes of the proportions: `shortest` or `longest` (one number) is the side that
    `resize` means; `stretch` (two numbers) gives them up; `letterbox` shrinks or grows the picture
    until it just fits into `resize`, and pads the rest, as YOLO's exporters do. By default
    `shortest` of one number, and `stretch` of two."""
    pad: Annotated[int, Field(ge=0, le=255)] = 114
    """The value of the pixels that `letterbox` puts around the picture, 0..255, before `scale`."""
    align: Literal["center", "corner"] = "center"
    """Where in the letterbox the picture lies: `corner` is left and top."""
    crop: tuple[Pixels, Pixels] | None = None
    """[height, width] in pixels of the part to cut from the centre; a smaller picture is an error,
    never padded."""
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "area"] = "bilinear"
    """How to resize; what else that means, `resize_like` says. `lanczos` is Pillow's alone, and
    `area` OpenCV's."""
    resize_like: Literal["pillow", "opencv", "torchvision"] = "pillow"
    """Whose pixels come out. `pillow`, as torchvision does with PIL images, averages over the
    pixels it shrinks (antialiasing), but for `nearest`. `opencv`, as `cv2.resize` does, averages
    over none but with `area`. `torchvision`, as its transforms do with tensors: see `antialias`."""
    antialias: bool | None = None
    """Whether torchvision averages over the pixels it shrinks, as it does by default; the others
    have no choice."""
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
    dtype: Literal["float32", "float16", "uint8"] = "float32"
    """What comes out. `uint8` is for models that scale and normalize themselves: with `scale: 1`,
    and neither mean nor std."""

    @field_validator("mean", "std")
    @classmethod
    def _one_a_channel(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        channels = 1 if info.data.get("color") == "gray" else 3
        if len(value) not in {0, 1, channels}:
            wanted = "1" if channels == 1 else "3 (one a channel) or 1 (for all)"
            raise ValueError(f"`{info.field_name}` has {len(value)} numbers; write {wanted}")
        return value

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        pair, fit = isinstance(self.resize, tuple), self.fit
        if fit is not None and self.resize is None:
            raise ValueError(f"`fit: {fit}` needs `resize`: the size to fit into")
        if (fit == "stretch" and not pair) or (fit in {"shortest", "longest"} and pair):
            wanted = "two numbers: [height, width]" if fit == "stretch" else "one number"
            raise ValueError(f"`fit: {fit}` needs a `resize` of {wanted}")
        known = _INTERPOLATIONS[self.resize_like]
        if self.interpolation not in known:
            told = f"`resize_like: {self.resize_like}` has no `{self.interpolation}`"
            raise ValueError(f"{told}; it has {', '.join(known)}")
        if self.antialias is not None and self.resize_like != "torchvision":
            raise ValueError("`antialias` is torchvision's choice alone: `resize_like` says why")
        if self.dtype == "uint8" and (self.scale != 1 or self.mean or self.std):
            raise ValueError("`dtype: uint8` needs `scale: 1`, and neither `mean` nor `std`")
        return self

    @property
    def channels(self) -> int:
        """How many channels come out."""
        return 1 if self.color == "gray" else 3

    def find_shape(self) -> tuple[int | str, ...]:
        """Return the shape that every picture comes to have, a `?` for each size of its own."""
        from trtbuild.data import fitting

        size = self.crop or fitting.find_canvas(self) or ("?", "?")
        return (self.channels, *size) if self.layout == "chw" else (*size, self.channels)

    def apply(self, picture: Image.Image | NDArray[Any], name: str) -> NDArray[Any]:
        """Return the array, [channels, height, width] or channels last, of a picture.

        It may be a PIL image or an array, [height, width] or [height, width, 1 or 3 (RGB)]; uint8
        arrays (4 channels are RGBA) are resized as images, rounding to whole values, and
        floating-point ones without rounding. `name` says in errors which sample it is.

        All that feeds a model pictures goes through here: it is `normalize` of `shape_pixels`.

        Raises:
            StepInputError: it is no such picture, or smaller than the crop.
        """
        return self.normalize(self.shape_pixels(picture, name))

    def shape_pixels(self, picture: Image.Image | NDArray[Any], name: str) -> NDArray[Any]:
        """Return the pixels that the model sees, [height, width, channels], RGB or gray, 0..255.

        uint8, or float32 where the picture was an array of floats.

        Raises:
            StepInputError: it is no such picture, or smaller than the crop.
        """
        import numpy as np

        from trtbuild.data import fitting, pixels

        channels: Literal["L", "RGB"] = "L" if self.color == "gray" else "RGB"
        if isinstance(picture, np.ndarray) and not self._takes_as_it_is(picture):
            picture = pixels.image_from_array(picture, name)
        if isinstance(picture, np.ndarray):
            picture = pixels.convert_color(picture, channels)
        else:
            picture = pixels.convert_color_mode(picture, channels, name)
        return fitting.fit(self, picture, name)

    def _takes_as_it_is(self, array: NDArray[Any]) -> bool:
        """Tell whether an array is RGB in bytes, and nothing that follows is Pillow's work."""
        colors = self.color != "gray" and array.dtype.name == "uint8" and array.shape[2:] == (3,)
        return colors and array.size > 0 and (self.resize is None or self.resize_like != "pillow")

    def normalize(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return what the model takes of the pixels that it sees."""
        from trtbuild.data import normalizing

        return normalizing.normalize(self, array)

    def undo(self, array: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the pixels that an array for the model shows: uint8 RGB [height, width, 3].

        The way back from `apply`: layout, mean and std, scale, colour. Gray shows as gray.
        """
        from trtbuild.data import normalizing

        return normalizing.undo(self, array)

    def view(self, width: int, height: int) -> View:
        """Return where the pixels of a picture of this size come to lie in what the model takes."""
        from trtbuild.data import fitting

        return fitting.find_view(self, width, height)
