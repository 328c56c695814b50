"""trtbuild diff: what a pull request needs to know."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.projects import edit


@pytest.fixture
def other(project):
    """The same recipe beside the first, to be edited."""
    return Path(shutil.copy(project, project.with_name("other.yaml")))


def test_recipes_of_one_meaning_are_the_same(project, other, trtbuild):
    """Comments, spelt-out defaults and units do not count."""
    edit(other, "  data: calib\n", "  data: calib\n  mode: explicit  # as ever\n")
    edit(other, "256MiB", "268435456")

    answer = trtbuild("diff", "recipe.yaml", "other.yaml")

    assert 0 == answer.code, answer.err
    assert "the same" in answer.out


def test_a_moved_limit_shows_in_bits_with_the_steps_that_rerun(project, other, trtbuild):
    """Twice the limit is a bit of resolution."""
    edit(project, "  calibrator:", "  ranges: {b: 2.0}\n  calibrator:")
    edit(other, "  calibrator:", "  ranges: {b: 4.0}\n  calibrator:")

    answer = trtbuild("diff", "recipe.yaml", "other.yaml")

    assert 1 == answer.code
    assert "quantization.ranges.b: 2 → 4 (1.00 bits lost)" in answer.out
    assert "    quantize\n" in answer.out
    assert "calibrate" not in answer.out.split("rerun")[1]


def test_markdown_is_folded_and_json_is_whole(project, other, trtbuild):
    """The same facts in every form."""
    edit(other, "minmax", "mse")

    marked = trtbuild("diff", "recipe.yaml", "other.yaml", "--format", "markdown")
    plain = json.loads(trtbuild("diff", "recipe.yaml", "other.yaml", "--format", "json").out)

    assert 1 == marked.code
    assert "<details open><summary>Recipe</summary>" in marked.out
    kinds = [each for each in plain[0]["recipe"] if each["what"] == "quantization.calibrator.kind"]
    assert [("minmax", "mse")] == [(each["before"], each["after"]) for each in kinds]


def test_two_locks_tell_of_ranges_and_results(applied_project, trtbuild):
    """What calibration found, metrics and sizes."""
    trtbuild("lock", "recipe.yaml")
    shutil.copy("recipe.lock", "before.lock")
    edit(applied_project, "kind: minmax", "kind: percentile, percentile: 95.0")
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    trtbuild("lock", "recipe.yaml")

    answer = trtbuild("diff", "before.lock", "recipe.lock")

    assert 1 == answer.code
    assert "logits.sqnr_db: " in answer.out
    assert "bits gained" in answer.out
    assert "quantization.calibrator.kind: minmax → percentile" in answer.out


def git(*arguments):
    names = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *names, *arguments], check=True, capture_output=True)  # noqa: S607


def test_revisions_are_compared(project, trtbuild):
    """From where they parted, with what git holds of the files."""
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("checkout", "-q", "-b", "topic")
    edit(project, "256MiB", "512MiB")
    git("commit", "-q", "-a", "-m", "two")

    answer = trtbuild("diff", "--git", "main...topic")

    assert 1 == answer.code, answer.err
    assert "targets.rtx.workspace: 268435456 → 536870912" in answer.out
    assert "build_engine(rtx)" in answer.out
    assert 0 == trtbuild("diff", "--git", "main...main").code
    assert 2 == trtbuild("diff", "--git", "main...nowhere").code
    assert 2 == trtbuild("diff", "--git", "--upload-pack=x...y").code
