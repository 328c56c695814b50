"""Which pixels of a picture go into one that is resized, and with what weight.

The same numbers as those by which data is prepared, for a graph, which has no picture library.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from trtbuild.core.frozen import frozen

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Interpolation", "Resampling", "find_taps"]

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
_SHARP, _SOFT = -0.75, -0.5
_REACH = {"bilinear": 1.0, "bicubic": 2.0, "lanczos": 3.0}


@frozen
class Resampling:
    """How a picture is resized."""

    interpolation: Interpolation
    like: Literal["pillow", "opencv", "torchvision"]
    antialias: bool


def find_taps(old: int, new: int, how: Resampling) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each of the new pixels, old ones and their weights: two arrays [new, taps]."""
    import numpy as np

    if how.interpolation == "nearest":
        shift = 0.5 if how.like == "pillow" else 0.0
        below = np.floor((np.arange(new) + shift) * (old / new)).astype(np.int64)
        return np.minimum(below, old - 1)[:, None], np.ones((new, 1))
    return (_averaged if how.antialias else _between)(old, new, how.interpolation)


def _averaged(old: int, new: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Weigh by a kernel as wide as the pixels that are shrunk into one, cut at the edges."""
    import numpy as np

    wide, reach = max(old / new, 1.0), _REACH[name]
    center = (np.arange(new) + 0.5) * (old / new)
    first = np.maximum((center - reach * wide + 0.5).astype(np.int64), 0)
    end = np.minimum((center + reach * wide + 0.5).astype(np.int64), old)
    inside = first[:, None] + np.arange(int((end - first).max()))
    weights = _kernel(np.abs(inside - center[:, None] + 0.5) / wide, name, _SOFT)
    weights[inside >= end[:, None]] = 0
    return np.minimum(inside, old - 1), weights / weights.sum(axis=1, keepdims=True)


def _between(old: int, new: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Weigh the pixels next to each one's centre, however many are shrunk into it."""
    import numpy as np

    at = ((np.arange(new) + 0.5) * (old / new) - 0.5).astype(np.float32).astype(np.float64)
    before = np.floor(at)
    reach = math.ceil(_REACH[name])
    steps = np.arange(1 - reach, 1 + reach)
    weights = _kernel(np.abs((at - before)[:, None] - steps), name, _SHARP)
    inside = np.clip(before[:, None].astype(np.int64) + steps, 0, old - 1)
    return inside, weights


def _kernel(away: np.ndarray, name: str, slope: float) -> np.ndarray:
    import numpy as np

    if name == "bilinear":
        return np.asarray(np.maximum(1 - away, 0))
    if name == "lanczos":
        whole = _REACH[name]
        return np.where(away < whole, np.sinc(away) * np.sinc(away / whole), 0.0)
    near = ((slope + 2) * away - (slope + 3)) * away * away + 1
    far = ((away - 5) * away + 8) * away * slope - 4 * slope
    return np.where(away <= 1, near, np.where(away < _REACH[name], far, 0.0))
