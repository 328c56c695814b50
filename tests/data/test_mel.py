"""Log-mel spectrograms against the formulas."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.data.mel import LogMel, make_mel_filters

SOUND = np.random.default_rng(0).uniform(-1, 1, (2, 2000))


def log_mel(**options):
    return LogMel.model_validate_json(LogMel().model_copy(update=options).model_dump_json())


def test_slaneys_mels_bend_at_1000_hertz():
    """200/3 Hz a mel below it (1000 Hz is 15), a factor of 6.4 in 27 mel above."""
    filters = make_mel_filters(16000, 1600, 29, (0, 6400 / 2), formula="slaney", norm="none")

    peaks = filters.argmax(axis=1) * 10  # bins of 10 Hz
    step = (15 + 27 * np.log(3.2) / np.log(6.4)) / 30  # mel between peaks
    wanted = [
        1000 * 6.4 ** ((mel - 15) / 27) if mel > 15 else mel * 200 / 3
        for mel in step * np.arange(1, 30)
    ]
    np.testing.assert_allclose(peaks, wanted, atol=5.001)


def test_the_htk_formula_makes_1000_mel_of_1000_hertz():
    """One filter from 0 to 8000 Hz (2840 mel) has its peak at 1420 mel, 1768 Hz."""
    filters = make_mel_filters(16000, 16000, 1, (0, 8000), formula="htk", norm="none")

    assert (1768, 1) == (filters.argmax(), round(filters.max(), 3))


def test_filters_of_slaney_have_the_area_one():
    """In Hz; this one value is that of librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)."""
    filters = make_mel_filters(16000, 400, 80, (0, 8000), formula="slaney", norm="slaney")

    assert 0.02486259 == pytest.approx(filters[0, 1], abs=1e-8)
    fine = make_mel_filters(16000, 40000, 80, (0, 8000), formula="slaney", norm="slaney")
    np.testing.assert_allclose(fine.sum(axis=1) * 0.4, 1, rtol=1e-3)


@pytest.mark.parametrize(
    "options", [{}, {"center": False, "window": "hamming", "window_length": 300}, {"power": 1}]
)
def test_spectra_are_fouriers(options):
    """By the sum that defines them, frame by frame, under the window that is asked for.

    torch.stft makes the same of the same sound.
    """
    how = log_mel(mels=20, **options)
    length = how.window_length or how.n_fft
    turn = 2 * np.pi * np.arange(length) / length
    window = 0.54 - 0.46 * np.cos(turn) if how.window == "hamming" else 0.5 - 0.5 * np.cos(turn)
    sound = np.pad(SOUND, ((0, 0), (200, 200)), mode="reflect") if how.center else SOUND
    first, bins = (how.n_fft - length) // 2, np.arange(201)[:, None]
    waves = np.exp(-2j * np.pi * bins * np.arange(length) / how.n_fft)
    starts = range(first, sound.shape[1] - how.n_fft + first + 1, how.hop)
    frames = np.stack([sound[:, start : start + length] for start in starts], axis=1)
    spectrum = np.abs((frames * window) @ waves.T) ** how.power
    filters = make_mel_filters(16000, 400, 20, (0, 8000), formula="slaney", norm="slaney")
    wanted = np.log(np.maximum(np.moveaxis(spectrum @ filters.T, 1, 2), 1e-10))

    np.testing.assert_allclose(how.apply(SOUND, 16000, "x"), wanted, rtol=1e-9, atol=1e-9)


def test_whispers_recipe():
    """log10, at most 8 below the highest, then (x + 4) / 4; the frames that are asked for."""
    whisper = log_mel(log="log10", dynamic_range=8.0, mean=-4.0, std=4.0, frames=12)
    plain = log_mel(log="log10").apply(SOUND, 16000, "x")
    plain[:, :, -1] = 0

    found = whisper.apply(SOUND, 16000, "x")

    assert (2, 80, 12) == found.shape
    loud = np.maximum(plain, plain.max(axis=(1, 2), keepdims=True) - 8)
    np.testing.assert_allclose(found, (loud[:, :, :12] + 4) / 4)


def test_logarithms():
    """Of powers 10 log10, of magnitudes 20; a floor raises, or is added."""
    silence = np.zeros((1, 400))

    assert {-100.0} == set(log_mel(log="db").apply(silence, 16000, "x").flat)
    assert {-200.0} == set(log_mel(log="db", power=1).apply(silence, 16000, "x").flat)
    added = log_mel(log="log10", floor=0.01, floor_by="add").apply(silence, 16000, "x")
    assert {-2.0} == set(added.flat)


@pytest.mark.parametrize(
    ("options", "length", "told"),
    [
        ({}, 200, "a.wav: has 200 samples, and 201 are needed"),
        ({"center": False}, 399, "a.wav: has 399 samples, and 400 are needed"),
        ({"frames": 9}, 800, "a.wav: makes 6 frames, and `frames` asks for 9"),
        ({"f_max": 9000.0}, 800, "filters from 0 to 9000 Hz do not fit into 8000 Hz"),
    ],
)
def test_sounds_that_do_not_fit_are_named(options, length, told):
    """With what to do."""
    with pytest.raises(StepInputError, match=told):
        log_mel(**options).apply(np.zeros((1, length)), 16000, "a.wav")
