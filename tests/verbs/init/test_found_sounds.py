"""Sound files."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from tests.helpers.sorts import save_sort
from trtbuild import api
from trtbuild.core.errors import UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.ready import list_problems


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    for index in range(4):
        soundfile.write(tmp_path / f"clips/{index}.wav", np.zeros(8000), 8000)
    return tmp_path


def test_waveforms_have_the_rate_of_the_first_file(here):
    """And the axis for their channel, where the model has one."""
    save_sort("audio", here)
    file = api.init("audio.onnx", data="clips").file
    calib, _ = load_recipe(file).recipe.data.values()

    assert () == list_problems(file)
    assert ("audio", 8000, True, "waveform", 1.0) == (
        calib.kind, calib.sample_rate, calib.channel_axis, calib.input, calib.seconds,
    )  # fmt: skip


def test_a_model_of_pictures_takes_none(here):
    """Its inputs are named."""
    save_sort("cnn", here)
    with pytest.raises(UsageError, match="holds sound files, and no input"):
        api.init("cnn.onnx", data="clips")
