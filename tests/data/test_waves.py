"""Waveforms at another rate, length and loudness."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.data.waves import fit_length, normalize_wave, resample


@pytest.mark.parametrize(("old", "new"), [(44100, 16000), (8000, 16000), (16000, 8000), (3, 2)])
def test_a_tone_stays_what_it_is(old, new):
    """A sine far below both Nyquist frequencies, away from its ends, to one in a thousand."""
    wave = np.sin(2 * np.pi * 0.05 * min(old, new) * np.arange(2000) / old)[None]

    found = resample(wave, old, new)

    assert (1, -(-2000 * new // old)) == found.shape
    wanted = np.sin(2 * np.pi * 0.05 * min(old, new) * np.arange(found.shape[1]) / new)
    np.testing.assert_allclose(found[0, 60:-60], wanted[60:-60], atol=2e-3)


def test_what_the_lower_rate_cannot_hold_goes():
    """Nothing of a tone beyond it comes out as another."""
    wave = np.sin(2 * np.pi * 7000 * np.arange(4000) / 16000)[None]

    assert np.abs(resample(wave, 16000, 8000)[0, 60:-60]).max() < 2e-2


def test_lengths_and_loudness():
    """Cut or filled behind; the mean 0 and the variance 1, and of silence nothing."""
    wave = np.array([[1.0, 2.0, 3.0]])

    assert [[1, 2]] == fit_length(wave, 2).tolist()
    assert [[1, 2, 3, 0]] == fit_length(wave, 4).tolist()
    found = normalize_wave(np.array([[1.0, 3.0], [5.0, 5.0]]))
    np.testing.assert_allclose(found, [[-1, 1], [0, 0]], atol=1e-6)
