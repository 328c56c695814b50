"""How alike two pictures are: PSNR and SSIM."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["WINDOW", "find_psnr", "find_ssim"]

WINDOW = 11
"""The side of the window that SSIM looks through."""
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03


def find_psnr(mean_square: float, data_range: float) -> float:
    """Return 10·log10(L² / mean (r − c)²) dB of one picture; infinite of equal ones."""
    if mean_square == 0:
        return math.inf
    return 20 * math.log10(data_range) - 10 * math.log10(mean_square)


def find_ssim(one: np.ndarray, other: np.ndarray, data_range: float) -> float:
    """Return the mean structural similarity of two pictures [planes, height, width].

    SSIM = (2·μx·μy + C1)(2·σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2)) with C1 = (0.01 L)² and
    C2 = (0.03 L)², in every place of a window of 11 x 11 with Gaussian weights of σ 1.5 that lies
    inside the picture; the mean over places and planes. Z. Wang, A. C. Bovik, H. R. Sheikh,
    E. P. Simoncelli, "Image quality assessment: from error visibility to structural similarity",
    IEEE Transactions on Image Processing 13 (4), 2004.
    """
    mean_one, mean_other = _blur(one), _blur(other)
    square_one = _blur(one * one) - mean_one**2
    square_other = _blur(other * other) - mean_other**2
    shared = _blur(one * other) - mean_one * mean_other
    first, second = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    top = (2 * mean_one * mean_other + first) * (2 * shared + second)
    bottom = (mean_one**2 + mean_other**2 + first) * (square_one + square_other + second)
    return float((top / bottom).mean())


def _blur(planes: np.ndarray) -> np.ndarray:
    """Return Gaussian means over the windows that lie inside."""
    import numpy as np

    steps = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(steps**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    for axis in (-1, -2):
        left = planes.shape[axis] - WINDOW + 1
        # Written out: a product of a BLAS depends on the number of threads.
        shifted = (planes.take(range(step, step + left), axis) for step in range(WINDOW))
        planes = np.asarray(sum(w * part for w, part in zip(weights, shifted, strict=True)))
    return planes
