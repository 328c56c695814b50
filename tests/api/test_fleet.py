"""Folders of recipes, applied for real: one that cannot be built among those that can."""

from __future__ import annotations

import json

import pytest

from tests.helpers.projects import TINY, tiny_project
from trtbuild import api
from trtbuild.cli.app import run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two recipes of one model, and one whose model is not there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    tiny_project(tmp_path / "r").rename(tmp_path / "r/a.yaml")
    for name, text in (("b", TINY), ("c", TINY.replace("model.onnx", "gone.onnx"))):
        (tmp_path / f"r/{name}.yaml").write_text(text.replace("name: tiny", f"name: {name}"))
    return tmp_path


def test_a_folder_is_built_whatever_one_recipe_does(folder, capsys):
    """Exit code, table, JUnit; what both share is done once, though they run beside each other."""
    words = ["apply", "r", "--executor", "inline", "--beside", "2", "--junit", "out/j.xml"]
    assert 4 == run(words)

    shown = capsys.readouterr()
    assert "3 recipes: 2 built, 1 failed" in shown.out
    assert "gone.onnx" in shown.err
    assert (folder / "build/b/ort/engine.json").is_file()
    assert 'errors="1"' in (folder / "out/j.xml").read_text()
    actions = [
        json.loads(p.read_text().splitlines()[0]) for p in (folder / "store/actions").iterdir()
    ]
    assert 1 == sum(each["step"] == "quantize" for each in actions)


def test_progress_is_told_to_programs(folder, capsys):
    """A line of JSON each; the answer, too, with what became of each recipe."""
    words = ["apply", "r", "--executor", "inline", "--log-json", "--format", "json"]
    assert 4 == run(words)

    shown = capsys.readouterr()
    events = [json.loads(line) for line in shown.err.splitlines()]
    assert {"planned", "expected", "started", "finished"} <= {each["event"] for each in events}
    assert ["tiny", "b"] == list(dict.fromkeys(each["recipe"] for each in events))
    answer = json.loads(shown.out)
    assert ["built", "built", "failed"] == [each["verdict"] for each in answer["recipes"]]
    assert (False, 2) == (answer["passed"], len(answer["builds"]))


def test_from_python_it_is_the_same(folder):
    """Results as values."""
    found = api.apply_fleet(api.find_recipes(["r"]), build_dir=folder / "build", executor="inline")

    assert (4, 3) == (found.code, len(found.recipes))
    assert b"<testsuites" in api.render_junit(found)
