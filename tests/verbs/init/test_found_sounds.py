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


@pytest.mark.parametrize(("folders", "labels"), [(12, "folders"), (2, None)])
def test_a_folder_for_each_score_is_the_label(here, folders, labels):
    """As of pictures; fewer would be numbered wrongly, and nothing says so."""
    save_sort("audio", here)
    for index in range(2 * folders):
        place = here / f"words/{index % folders}"
        place.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / f"{index}.wav", np.zeros(8000), 8000)
    calib, other = load_recipe(api.init("audio.onnx", data="words").file).recipe.data.values()

    assert (labels, labels) == (calib.labels, other.labels)
