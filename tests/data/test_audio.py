"""Sound files as waveforms and spectrograms."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.helpers import media
from tests.helpers.sources import source_of
from trtbuild.core.errors import MissingDependency, MissingFile, StepInputError

RAMP = np.arange(100) / 256


def audio(extra="", path="sounds"):
    return source_of(
        f'{{"kind": "audio", "path": "{path}", "sample_rate": 8000, "input": "x"{extra}}}'
    )


def read(source, folder):
    return [each.arrays["x"] for each in source.samples(source.find_files(folder))]


def test_waveforms_come_as_they_are(tmp_path):
    """float32 from -1 to 1, in name order; FLAC and WAV alike."""
    media.sound(tmp_path / "sounds/b.wav", -RAMP)
    media.sound(tmp_path / "sounds/a/a.flac", RAMP)
    (tmp_path / "sounds/notes.txt").write_text("")

    first, second = read(audio(), tmp_path)

    assert ("float32", RAMP.tolist()) == (first.dtype.name, first.tolist())
    assert (-RAMP).tolist() == second.tolist()


@pytest.mark.parametrize(
    ("extra", "shape", "value"),
    [
        ("", (100,), 0.125),
        (', "channels": "first"', (100,), 0.25),
        (', "channels": "all"', (2, 100), 0.25),
        (', "channel_axis": true', (1, 100), 0.125),
        (', "seconds": 0.02', (160,), 0.125),
        (', "seconds": 0.01', (80,), 0.125),
        (', "features": {"n_fft": 16, "hop": 8, "mels": 4}', (4, 13), None),
        (
            ', "channel_axis": true, "features": {"n_fft": 16, "hop": 8, "mels": 4, "frames": 9}',
            (1, 4, 9),
            None,
        ),
    ],
)
def test_channels_lengths_and_features(tmp_path, extra, shape, value):
    """Mono is the mean of all channels."""
    media.sound(tmp_path / "sounds/a.wav", np.array([[0.25, 0.0]] * 100))

    (found,) = read(audio(extra), tmp_path)

    assert shape == found.shape
    assert value in {None, found.flat[0]}


def test_another_rate_is_an_error_unless_it_is_asked_for(tmp_path):
    """With both rates; resampled, a second stays one."""
    media.sound(tmp_path / "sounds/a.wav", np.full(16000, 0.5), rate=16000)

    with pytest.raises(StepInputError, match=r"a\.wav: has 16000 samples a second, .* 8000") as err:
        read(audio(), tmp_path)
    assert "resample: true" in err.value.hint
    (found,) = read(audio(', "resample": true'), tmp_path)
    assert ((8000,), 0.5) == (found.shape, pytest.approx(found[4000], abs=1e-3))


def test_loudness_is_taken_out(tmp_path):
    """Before silence is added."""
    media.sound(tmp_path / "sounds/a.wav", RAMP)

    (found,) = read(audio(', "normalize": true, "seconds": 0.02'), tmp_path)

    assert (0.0, 1.0) == (round(found[:100].mean(), 3), round(found[:100].std(), 3))


def test_folders_are_classes(tmp_path):
    """As those of pictures are."""
    for name in ("no/1", "no/2", "yes/3", "yes/4"):
        media.sound(tmp_path / f"sounds/{name}.wav", RAMP)
    (tmp_path / "names.txt").write_text("yes\nno\n")

    assert (0, 1) == audio(', "labels": "folders", "count": 2').find_labels(tmp_path)
    named = audio(', "labels": "folders", "classes": "names.txt"', "sounds/*/*.wav")
    assert (1, 1, 0, 0) == named.find_labels(tmp_path)
    assert () == audio().find_labels(tmp_path)


def test_what_is_no_sound_is_named(tmp_path):
    """Text, a file cut short, and one without a sample."""
    whole = media.sound(tmp_path / "sounds/a.wav", RAMP).read_bytes()
    for data, told in (
        (b"no sound", "corrupt or of no known format"),
        (whole[:20], "corrupt or of no known format"),
        (whole[:44], "holds no sound"),
    ):
        (tmp_path / "sounds/a.wav").write_bytes(data)
        with pytest.raises(StepInputError, match=rf"a\.wav: .*{told}"):
            read(audio(), tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFile, match="holds no sound files"):
        audio("", "empty").find_files(tmp_path)


def test_a_missing_library_is_said(tmp_path, monkeypatch):
    """With the command that brings it."""
    monkeypatch.setitem(sys.modules, "soundfile", None)

    with pytest.raises(MissingDependency, match="`soundfile` is not installed") as caught:
        audio().samples([tmp_path / "a.wav"])
    assert "pip install 'trtbuild[audio]'" == caught.value.hint
