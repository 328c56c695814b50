"""Recipes at two revisions: what is said of one that a side lacks."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.helpers.projects import tiny_project
from trtbuild.run.inline import Inline
from trtbuild.verbs.diff_revisions import diff_revisions


def git(*arguments):
    names = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *names, *arguments], check=True, capture_output=True)  # noqa: S607


def test_a_recipe_that_came_or_went_is_summed_up(tmp_path, monkeypatch, store):
    """One that is wrong says so instead."""
    recipe = tiny_project(tmp_path / "top")
    monkeypatch.chdir(recipe.parent)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    Path("bad.yaml").write_text("version: 1\nname: a\nmodel: {}\ntargets: {}\n")
    recipe.rename("other.yaml").write_text("version: 1\n")
    git("rm", "-q", "--cached", "recipe.yaml")
    git("add", "bad.yaml")
    git("commit", "-q", "-m", "two")

    bad, gone = diff_revisions("HEAD~1..HEAD", [], store, Inline())

    assert ("after", ()) == (bad.only, bad.summary)
    assert bad.wrong[0].startswith("after: bad.yaml:")
    assert ("before", "unknown") == (gone.only, gone.verdict)
    assert (
        "model: onnx model.onnx",
        "INT8: every range by hand",
        "targets: ort (onnxruntime)",
        "compared: no, the recipe has no `compare` section",
        "it has no lock: no result is known",
    ) == gone.summary
