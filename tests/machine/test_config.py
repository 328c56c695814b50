"""The user's settings: read strictly, and every slip told at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild.core.devices import ANYWHERE, DeviceChoice
from trtbuild.core.errors import RecipeError
from trtbuild.machine.config import (
    ConfiguredPython,
    find_config_file,
    read_configured_device,
    read_configured_pythons,
)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write the settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def write(text):
        path = tmp_path / "trtbuild/config.yaml"
        path.parent.mkdir()
        path.write_text(text)
        return path

    return write


def test_without_settings_there_is_none(tmp_path, monkeypatch):
    """Nobody needs them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert {} == read_configured_pythons()


@pytest.mark.parametrize("text", ["", "# nothing\n", "pythons: {}\n"])
def test_empty_settings_say_nothing(written, text):
    """As good as none."""
    written(text)

    assert {} == read_configured_pythons()


def test_a_python_is_named_for_a_kind_of_target(written):
    """From the root, or from the user's home; with the line that does."""
    path = written("pythons:\n  tensorrt10: /opt/trt10/bin/python\n  tensorrt11: ~/trt11/python\n")

    assert {
        "tensorrt10": ConfiguredPython("/opt/trt10/bin/python", f"{path}:2"),
        "tensorrt11": ConfiguredPython(str(Path.home() / "trt11/python"), f"{path}:3"),
    } == read_configured_pythons()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pythons: {}\n", ANYWHERE),
        ("device: cpu\n", DeviceChoice("cpu")),
        ("device: cuda:1\n", DeviceChoice("cuda", 1)),
        ("device: 1\n", DeviceChoice("auto", 1)),
        ("batch: 1\n", DeviceChoice(batch=1)),
    ],
)
def test_a_device_is_named_for_all_runs(written, text, expected):
    """In the words of `--device`."""
    written(text)

    assert expected == read_configured_device()


@pytest.mark.parametrize("home", ["", "relative"])
def test_where_xdg_says_nothing_it_is_below_the_home(monkeypatch, home):
    """A relative XDG_CONFIG_HOME is to be ignored, says its specification."""
    monkeypatch.setenv("XDG_CONFIG_HOME", home)

    assert Path.home() / ".config/trtbuild/config.yaml" == find_config_file()


WRONG = {
    "python: {}\n": ("1:1: error: `python` is no setting", "did you mean `pythons`?"),
    "- a\n": ("error: the settings are a mapping", "begin with `pythons:`"),
    "pythons: /usr/bin/python\n": ("`pythons` is a mapping", "tensorrt10: /path"),
    "pythons:\n  tensorrt12: /p\n": ("2:3: error: `tensorrt12` is no kind", "tensorrt10"),
    "pythons:\n  tensorrt10: bin/python\n": ("2:15: error: `tensorrt10` must be", "/opt/"),
    "pythons:\n  tensorrt10: 3.11\n": ("must be the path of a Python", ""),
    "pythons: {tensorrt10: /p, tensorrt10: /q}\n": ("tensorrt10", ""),
    "pythons: [\n": ("error: ", ""),
    "device: gpu\n": ("1:9: error: `gpu` is no device", "cuda:N"),
    "batch: 0\n": ("`batch` is a whole number", "batch: 1"),
    "device: true\n": ("is no device", "cuda:N"),
    "device: [0]\n": ("is no device", "cuda:N"),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.items(), ids=range(len(WRONG)))
def test_what_is_wrong_is_told_at_its_line(written, text, expected):
    """A slip in them would otherwise build with another TensorRT."""
    path = written(text)

    with pytest.raises(RecipeError) as caught:
        read_configured_pythons()

    message, hint = expected
    shown = caught.value.problems[0].render()
    assert shown.startswith(f"{path}:")
    assert message in shown
    assert hint in shown
