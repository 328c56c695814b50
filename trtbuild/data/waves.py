"""Waveforms [channels, samples], float64: another sample rate, length or loudness."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fit_length", "normalize_wave", "resample"]

CROSSINGS = 6
ROLLOFF = 0.99


def resample(waves: NDArray[Any], old: int, new: int) -> NDArray[Any]:
    """Return waveforms at another sample rate.

    By bandlimited interpolation (Smith and Gossett, ICASSP 1984) with the parameters that
    torchaudio.functional.resample has by default.
    """
    import numpy as np

    shared = math.gcd(old, new)
    before, after = old // shared, new // shared
    cut = min(before, after) * ROLLOFF
    reach = math.ceil(CROSSINGS * before / cut)
    # Of each of the `after` samples that come of `before`: when it is, as seen from each it takes.
    times = np.arange(-reach, reach + before) / before - np.arange(after)[:, None] / after
    times = np.clip(times * cut, -CROSSINGS, CROSSINGS)
    weights = np.sinc(times) * np.cos(times * np.pi / CROSSINGS / 2) ** 2 * cut / before
    padded = np.pad(waves, ((0, 0), (reach, reach + before)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weights.shape[1], axis=1)
    made = (windows[:, ::before] @ weights.T).reshape(len(waves), -1)
    return np.asarray(made[:, : math.ceil(waves.shape[1] * after / before)])


def normalize_wave(waves: NDArray[Any]) -> NDArray[Any]:
    """Return waveforms with the mean 0 and the variance 1; of silence, zeros."""
    import numpy as np

    mean, variance = waves.mean(axis=1, keepdims=True), waves.var(axis=1, keepdims=True)
    return np.asarray((waves - mean) / np.sqrt(variance + 1e-7))


def fit_length(waves: NDArray[Any], length: int) -> NDArray[Any]:
    """Return so many samples of waveforms, zeros behind where there are fewer."""
    import numpy as np

    cut = waves[:, :length]
    return np.pad(cut, ((0, 0), (0, length - cut.shape[1])))
