"""Pictures before they are numbers: decode, convert the colour, resize; by Pillow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import quote_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = [
    "SUFFIXES",
    "convert_color",
    "convert_color_mode",
    "count_frames",
    "decode_image",
    "demand_sane_target",
    "find_size",
    "image_from_array",
    "measure_image",
    "resize_image",
]

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""No EPS: Pillow would start Ghostscript on it."""
MOST_PIXELS = 100_000_000
"""A picture that claims more is refused before it is decoded (in RGB it would take 300 MB)."""
SHRINK = "shrink the picture beforehand"
_ORIENTATION, _QUARTERS = 0x0112, range(5, 9)
"""Of EXIF: the tag, and the values that turn a picture by 90 degrees."""
LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, which Pillow's own conversion to gray uses."""


def decode_image(data: bytes, name: str) -> Image.Image:
    """Decode a picture's first frame, turned the way its EXIF orientation says.

    Raises:
        StepInputError: it is corrupt, cut short, of another format, or absurdly large.
    """
    import warnings

    from PIL import Image, ImageOps, UnidentifiedImageError

    # Pillow warns of bombs from 89 million pixels on; ours is an error, and one word is enough.
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _demand_sane(image.width, image.height, name)
        # Which loads it; not in place, it would copy too, for a sixth more of the time.
        ImageOps.exif_transpose(image, in_place=True)
    except StepInputError:
        raise
    except Image.DecompressionBombError as error:  # from 179 million pixels on
        raise StepInputError(f"{name}: {error}", hint=SHRINK) from None
    except UnidentifiedImageError:
        known = ", ".join(FORMATS)
        raise StepInputError(
            f"{name}: is not a picture that can be decoded ({_size(data)})",
            hint=f"formats are {known}; replace the file, or take it out of the data",
        ) from None
    except Exception as error:  # corrupt bytes make decoders raise nearly anything
        raise StepInputError(
            f"{name}: the picture is corrupt or cut short: {quote_whole(str(error))}",
            hint="replace the file, or take it out of the data",
        ) from error
    return image


def measure_image(data: bytes, name: str) -> tuple[int, int]:
    """Return width and height of a picture as `decode_image` turns it, without decoding it.

    Raises:
        StepInputError: it is no picture that can be decoded.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            turned = image.getexif().get(_ORIENTATION, 1) in _QUARTERS
            width, height = image.size
            return (height, width) if turned else (width, height)
    except Exception as error:  # corrupt bytes make decoders raise nearly anything
        raise StepInputError(
            f"{name}: the picture is corrupt or cut short: {quote_whole(str(error))}",
            hint="replace the file, or take it out of the data",
        ) from error


def count_frames(data: bytes) -> int:
    """Return how many pictures a file holds that can be decoded: of a GIF, WebP, TIFF or PNG."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        try:
            return int(getattr(image, "n_frames", 1))
        except (OSError, EOFError, ValueError, SyntaxError):  # the first is sound, the rest is cut
            return 1


def _size(data: bytes) -> str:
    return f"{len(data)} bytes" if data else "the file is empty"


def _demand_sane(width: int, height: int, name: str) -> None:
    if width * height > MOST_PIXELS:
        most = f"{MOST_PIXELS // 10**6} million"
        raise StepInputError(
            f"{name}: claims {width}x{height} pixels; more than {most} are refused", hint=SHRINK
        )


def convert_color_mode(image: Image.Image, mode: Literal["L", "RGB"], name: str) -> Image.Image:
    """Return an 8-bit image in gray or RGB; 16-bit gray is rounded to 8 bits, alpha dropped.

    Raises:
        StepInputError: its values have no known range (32-bit integers, floats).
    """
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I;16"):
        wide = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    if image.mode in {"I", "F"}:
        raise StepInputError(
            f"{name}: holds 32-bit values (mode {image.mode}), of which no range is known",
            hint="save it with 8 or 16 bits a channel, or give it as `kind: arrays`",
        )
    if image.mode == "P":
        image = image.convert("RGBA")  # its palette may hold transparency, of which Pillow warns
    return image if image.mode == mode else image.convert(mode)


def image_from_array(array: NDArray[Any], name: str) -> Image.Image | NDArray[np.float32]:
    """Return a uint8 array as an image, and a floating-point one as float32 with three axes.

    Raises:
        StepInputError: it is not [height, width] or [height, width, channels], or of other dtype.
    """
    import numpy as np
    from PIL import Image

    shape, byte = list(array.shape), array.dtype == np.uint8
    if array.ndim == 3 and array.shape[2] == 1:  # noqa: PLR2004  # height, width, channels
        array = array[..., 0]
    known = {(), (3,), (4,)} if byte else {(), (3,)}
    if array.size == 0 or array.ndim not in {2, 3} or array.shape[2:] not in known:
        raise StepInputError(
            f"{name}: an array of shape {shape} and dtype {array.dtype} is no picture",
            hint="give [height, width] or [height, width, 3] (channels last), uint8 or float32",
        )
    if byte:
        return Image.fromarray(np.ascontiguousarray(array))
    if array.dtype.kind != "f":
        raise StepInputError(
            f"{name}: a picture of dtype {array.dtype} has no known range",
            hint="give uint8 (0..255) or float32",
        )
    return array.astype(np.float32).reshape(*array.shape[:2], -1)


def convert_color(array: NDArray[np.float32], mode: Literal["L", "RGB"]) -> NDArray[np.float32]:
    """Return a float32 picture [height, width, 1 or 3] in gray (1 channel) or RGB (3)."""
    import numpy as np

    if mode == "RGB":
        return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array
    if array.shape[2] == 1:
        return array
    # Written out: a matrix product may sum in another order on another processor.
    red, green, blue = (array[..., [channel]] * np.float32(LUMA[channel]) for channel in range(3))
    gray: NDArray[np.float32] = red + green + blue
    return gray


def find_size(
    width: int, height: int, size: int | tuple[int, int], *, longest: bool = False
) -> tuple[int, int]:
    """Return width and height after resizing: `size` is one side, or (height, width).

    One side is the shorter, or the longer one; the other is cut to a whole pixel.
    """
    if isinstance(size, tuple):
        return (size[1], size[0])
    if (width <= height) != longest:
        return (size, max(1, int(size * height / width)))
    return (max(1, int(size * width / height)), size)


def demand_sane_target(old: tuple[int, int], new: tuple[int, int], name: str) -> None:
    """Refuse a size (width, height) that no picture should come to have: a strip, blown up.

    Raises:
        StepInputError: it is absurdly large.
    """
    if new[0] * new[1] > MOST_PIXELS:
        raise StepInputError(
            f"{name}: {old[0]}x{old[1]} pixels would be resized to {new[0]}x{new[1]};"
            f" more than {MOST_PIXELS // 10**6} million pixels are refused",
            hint="resize to [height, width], or crop the picture beforehand",
        )


def resize_image(image: Image.Image, size: tuple[int, int], interpolation: str) -> Image.Image:
    """Resize to `size` = (width, height), as Pillow does."""
    from PIL import Image

    return image.resize(size, Image.Resampling[interpolation.upper()])
