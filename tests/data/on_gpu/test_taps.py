"""Tables of taps: reckoned with, they make the bytes that the CPU makes."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.data.on_gpu.taps import PILLOW_BITS, find_taps
from trtbuild.data.preprocess import Preprocess

RNG = np.random.default_rng(5)


def reckon(taps, picture):
    """Weigh columns and then rows, as the kernel does; or turned, the other way round."""
    if taps.rows_first:
        turned = taps._replace(
            rows=taps.columns, row_weights=taps.column_weights,
            columns=taps.rows, column_weights=taps.row_weights, rows_first=False,
        )  # fmt: skip
        return reckon(turned, picture.swapaxes(0, 1)).swapaxes(0, 1)
    wide = np.stack([picture[:, taps.columns[:, t]] for t in range(taps.columns.shape[1])])
    kind = taps.arithmetic
    dtype = np.float32 if kind == "floats" else np.int64
    across = taps.column_weights.astype(dtype)
    total = np.zeros(wide.shape[1:], dtype)
    for tap, pixels in enumerate(wide):
        total = total + pixels.astype(dtype) * across[:, tap][None, :, None]
    half = 1 << (PILLOW_BITS - 1)
    if kind == "pillow":
        total = np.clip((total + half) >> PILLOW_BITS, 0, 255)
    elif kind == "two_taps":
        total >>= 4
    down = taps.row_weights.astype(dtype)
    made = np.zeros((len(taps.rows), *total.shape[1:]), dtype)
    for tap in range(taps.rows.shape[1]):
        part = total[taps.rows[:, tap]] * down[:, tap][:, None, None]
        made = made + (part >> 16 if kind == "two_taps" else part)
    if kind == "floats":
        made = np.rint(made)
    elif kind == "pillow":
        made = (made + half) >> PILLOW_BITS
    else:
        made = (made + 2) >> 2 if kind == "two_taps" else (made + (1 << 21)) >> 22
    return np.clip(made, 0, 255).astype(np.uint8)


RULES = [
    *(("pillow", each, None) for each in ("nearest", "bilinear", "bicubic", "lanczos")),
    *(("opencv", each, None) for each in ("nearest", "bilinear", "bicubic", "area")),
    *(("torchvision", e, a) for e in ("nearest", "bilinear", "bicubic") for a in (None, False)),
]


@pytest.mark.parametrize(("like", "interpolation", "antialias"), RULES)
@pytest.mark.parametrize("size", [(31, 17), (64, 40), (9, 90), (32, 20), (40, 64)])
def test_bytes_are_those_of_the_cpu(like, interpolation, antialias, size):
    """Shrunk, blown up, halved, one axis alone, and not at all."""
    how = Preprocess(
        resize=size, resize_like=like, interpolation=interpolation, antialias=antialias
    )
    picture = RNG.integers(0, 256, (40, 64, 3), np.uint8)
    taps = find_taps(how, (64, 40), (size[1], size[0]))

    assert np.array_equal(how.shape_pixels(picture, "p"), reckon(taps, picture))


def test_without_resizing_pixels_are_taken_as_they_are():
    """One tap each."""
    picture = RNG.integers(0, 256, (4, 5, 3), np.uint8)

    assert np.array_equal(picture, reckon(find_taps(Preprocess(), (5, 4), (5, 4)), picture))
