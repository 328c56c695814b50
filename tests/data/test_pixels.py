"""Decoding: formats, colours, orientation, and files made to fail."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from trtbuild.core.errors import StepInputError
from trtbuild.data.pixels import convert_color_mode, decode_image, image_from_array

ORIENTATION = 0x0112


def saved(image: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, **{"format": "PNG", **options})
    return file.getvalue()


def noise(height=64, width=64) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    )


def empty_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + head
        + struct.pack(">I", zlib.crc32(head))
        + struct.pack(">I", 0)
        + b"IEND"
        + struct.pack(">I", zlib.crc32(b"IEND"))
    )


@pytest.mark.parametrize("name", ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"])
def test_common_formats_are_decoded(name):
    """Every format that a suffix stands for opens."""
    assert (3, 2) == decode_image(saved(Image.new("RGB", (3, 2)), format=name), "x").size


def test_the_exif_orientation_is_followed():
    """A camera held upright (orientation 6) gives an upright picture."""
    image = Image.new("RGB", (4, 2))
    image.putpixel((0, 0), (255, 255, 255))
    exif = image.getexif()
    exif[ORIENTATION] = 6

    upright = decode_image(saved(image, exif=exif), "x")

    assert (2, 4) == upright.size
    assert (255, 255, 255) == upright.getpixel((1, 0))


@pytest.mark.parametrize("name", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_picture_cut_short_is_an_error(name, share):
    """However much of it is there, a part is never taken for the whole."""
    data = saved(noise(), format=name)

    with pytest.raises(StepInputError, match=r"^cat.x: the picture is corrupt or cut short: .+"):
        decode_image(data[: int(len(data) * share)], "cat.x")


def test_corrupt_pixels_are_an_error():
    """Bytes overwritten in the middle of a PNG do not decode."""
    data = bytearray(saved(noise()))
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)

    with pytest.raises(StepInputError, match=r"cat.png: the picture is corrupt or cut short"):
        decode_image(bytes(data), "cat.png")


@pytest.mark.parametrize(
    ("data", "told"), [(b"", "the file is empty"), (b"not a picture", "13 bytes")]
)
def test_what_is_no_picture_is_an_error(data, told):
    """The message says how much there is, the hint which formats are read."""
    with pytest.raises(StepInputError) as caught:
        decode_image(data, "cat.jpg")

    assert f"cat.jpg: is not a picture that can be decoded ({told})" == caught.value.message
    assert "JPEG" in caught.value.hint


def test_other_formats_are_not_even_tried():
    """PostScript would start an interpreter."""
    with pytest.raises(StepInputError, match="is not a picture"):
        decode_image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "x.jpg")


@pytest.mark.parametrize("size", [(10_001, 10_000), (60_000, 60_000), (2**31 - 1, 9)])
def test_bombs_are_refused_by_their_claim(size):
    """A few bytes that claim a hundred million pixels or more are not decoded."""
    with pytest.raises(StepInputError, match=r"^x: .*pixels"):
        decode_image(empty_png(*size), "x")


@pytest.mark.parametrize(
    ("mode", "value", "wanted"),
    [
        ("L", 7, (7, 7, 7)),
        ("1", 1, (255, 255, 255)),
        ("LA", (7, 0), (7, 7, 7)),
        ("RGBA", (1, 2, 3, 0), (1, 2, 3)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("I;16", 0x8080, (128, 128, 128)),  # 0x8080 = 128 * 257
        ("I;16", 0x00FF, (1, 1, 1)),  # 255 / 257 = 0.99
        ("I;16", 65535, (255, 255, 255)),
    ],
)
def test_every_mode_becomes_rgb(mode, value, wanted):
    """Gray is repeated, alpha dropped, 16 bits rounded to 8."""
    image = Image.new(mode, (1, 1), value)

    assert wanted == convert_color_mode(image, "RGB", "x").getpixel((0, 0))


def test_a_palette_becomes_its_colors():
    """Also one with transparent entries, of which Pillow would warn."""
    image = Image.new("RGB", (2, 1), (200, 100, 50)).quantize(2)
    image.info["transparency"] = bytes([0, 255])

    assert (200, 100, 50) == convert_color_mode(image, "RGB", "x").getpixel((0, 0))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_values_without_a_range_are_refused(mode):
    """How 32-bit values map to 0..255 is the user's to say."""
    with pytest.raises(StepInputError, match=rf"x: holds 32-bit values \(mode {mode}\)"):
        convert_color_mode(Image.new(mode, (1, 1)), "L", "x")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2, 2), np.uint8), "an array of shape [2, 2, 2] and dtype uint8 is no"),
        (np.zeros((3, 8, 8), np.uint8), "an array of shape [3, 8, 8] and dtype uint8 is no"),
        (np.zeros((2, 2, 4), np.float32), "an array of shape [2, 2, 4] and dtype float32 is no"),
        (np.zeros(4, np.uint8), "an array of shape [4] and dtype uint8 is no picture"),
        (np.zeros((0, 3), np.uint8), "an array of shape [0, 3] and dtype uint8 is no picture"),
        (np.zeros((2, 2), np.int64), "a picture of dtype int64 has no known range"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array, message):
    """Shape and dtype stand in the message."""
    with pytest.raises(StepInputError) as caught:
        image_from_array(array, "s")

    assert f"s: {message}" in caught.value.message
