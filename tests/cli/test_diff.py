"""trtbuild diff: what a pull request needs to know."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.projects import edit

pytestmark = pytest.mark.usefixtures("steps_here")


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
    assert marked.out.startswith("## recipe: 1 results not known\n")
    assert "<details><summary>Recipe (" in marked.out
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
    assert "  sqnr_db of logits: " in answer.out
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


@pytest.fixture
def history(applied_project, trtbuild):
    """A locked recipe on main, another range by hand on a branch; git holds no data."""
    trtbuild("lock", "recipe.yaml")
    Path(".gitignore").write_text("*.npz\nbuild/\n")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("checkout", "-q", "-b", "topic")
    edit(applied_project, "  calibrator:", "  ranges: {b: 40.0}\n  calibrator:")
    git("commit", "-q", "-a", "-m", "two")
    return applied_project


def test_data_that_git_does_not_hold_is_as_it_lies_here(history, trtbuild):
    """So the steps that rerun are known, and it says so; where it is nowhere, that is said too."""
    here = trtbuild("diff", "--git", "main...topic").out
    for name in ("calib.npz", "eval.npz"):
        Path(name).unlink()
    nowhere = trtbuild("diff", "--git", "main...topic").out

    for text in (here, nowhere):
        assert "    quantize\n" in text
        assert "calibrate" not in text
        assert "its lock is not of the recipe as it stands, and is passed over" in text
        assert "Accuracy" not in text
    assert "data `calib` is as it lies here: git does not hold it" in here
    assert "data `calib` is not here: taken to be the same" in nowhere


def test_what_came_of_it_is_told_worst_first_with_time(history, trtbuild):
    """Once it is built here, or locked: figures that fell lead, by how much of them is gone."""
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    built = trtbuild("diff", "--git", "main...topic").out
    trtbuild("lock", "recipe.yaml")
    git("commit", "-q", "-a", "-m", "three")
    (found,) = json.loads(trtbuild("diff", "--git", "main...topic", "--format", "json").out)

    assert "  Accuracy:\n    sqnr_db of logits: " in built
    assert "  Time:\n" in built
    assert ["logits.sqnr_db", "logits.cosine"] == [each["what"] for each in found["measures"]][:2]
    # Of the steps that ran anew, those that did not take the same milliseconds by chance.
    again = {"quantize", "infer(candidate)", "build_engine(rtx)", "compare"}
    assert {each["what"] for each in found["seconds"]} & again
    assert "notes" in found


def test_a_new_recipe_is_summed_up_with_its_figures_and_gates(history, trtbuild):
    """There is nothing to compare it with; what its lock says of a gate is said all the same."""
    shutil.copy("recipe.yaml", "new.yaml")
    shutil.copy("recipe.lock", "new.lock")
    edit(Path("new.lock"), "passed = true", "passed = false")
    git("add", "-A")
    git("commit", "-q", "-m", "three")

    text = trtbuild("diff", "--git", "main...topic", "--format", "markdown", "new.yaml").out
    (found,) = json.loads(
        trtbuild("diff", "--git", "main...topic", "--format", "json", "new.yaml").out
    )

    assert text.startswith(
        "## 1 gate failed; recipe: 1 new\n\n### new.yaml: new\n\n- **Gate failed**"
    )
    assert "- model: onnx model.onnx\n- INT8: ranges by minmax on data \\`calib\\`\n" in text
    assert "- compared on data \\`eval\\`: sqnr\\_db ≥ 10\n" in text
    assert re.search(r"- top1 of logits: \S+ % \(FP32 \S+ %\)", text)
    assert ("after", False) == (found["only"], found["gates"][0]["after"])


def test_recipes_that_mean_the_same_take_one_line_in_all(project, trtbuild):
    """A comment or a move is no news; a recipe that came or went is."""
    for name in ("a.yaml", "b.yaml", "old.yaml"):
        shutil.copy(project, name)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("checkout", "-q", "-b", "topic")
    edit(Path("a.yaml"), "version: 1", "version: 1  # the first")
    Path("old.yaml").rename("new.yaml")
    Path("other.yml").write_text("version: 1\nmodel: {}\ntargets: {}\n")
    git("add", "-A")
    git("commit", "-q", "-m", "two")

    answer = trtbuild("diff", "--git", "main...topic", "--format", "markdown")

    assert 1 == answer.code
    assert [
        "## recipes: 1 wrong, 4 the same",
        "### other.yml: wrong",
        "### old.yaml → new.yaml: the same",
    ] == [line for line in answer.out.splitlines() if line.startswith("#")]
    assert "- after: other.yml:1: a recipe needs " in answer.out


@pytest.fixture
def renamed(project):
    """A recipe and its lock on main; on a branch, in a folder, another name and workspace."""
    files = list(Path().iterdir())
    Path("recipes").mkdir()
    for path in files:
        path.rename(Path("recipes") / path)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("checkout", "-q", "-b", "topic")
    Path("recipes/recipe.yaml").rename("recipes/new.yaml")
    edit(Path("recipes/new.yaml"), "256MiB", "512MiB")
    git("add", "-A")
    git("commit", "-q", "-m", "two")


@pytest.mark.parametrize("named", ["", "recipes/new.yaml", "recipes/recipe.yaml"])
def test_a_renamed_recipe_is_compared_with_what_it_was(renamed, trtbuild, named):
    """By either of its names, or by none."""
    answer = trtbuild("diff", "--git", "main...topic", *([named] if named else []))

    assert 1 == answer.code, answer.err
    assert "recipes/recipe.yaml → recipes/new.yaml" in answer.out
    assert "targets.rtx.workspace: 268435456 → 536870912" in answer.out


@pytest.mark.parametrize("whole", [False, True])
def test_a_path_starts_where_the_command_is_typed(renamed, trtbuild, monkeypatch, whole):
    """In a folder of the repository, too; or at the root of all."""
    monkeypatch.chdir("recipes")

    answer = trtbuild(
        "diff", "--git", "main...topic", Path("new.yaml").absolute() if whole else "new.yaml"
    )

    assert 1 == answer.code, answer.err
    assert "workspace" in answer.out


def test_a_recipe_that_is_wrong_at_a_revision_hides_no_other(project, trtbuild):
    """Its problems are told, with the name that git knows it by."""
    shutil.copy(project, "a.yml")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("checkout", "-q", "-b", "topic")
    edit(Path("a.yml"), "256MiB", "512MiB")
    edit(project, "minmax", "minmix")
    git("commit", "-q", "-a", "-m", "two")

    answer = trtbuild("diff", "--git", "main...topic")

    assert 1 == answer.code, answer.err
    assert "after: recipe.yaml:11: `minmix` is not a kind of calibrator" in answer.out
    assert "targets.rtx.workspace: 268435456 → 536870912" in answer.out


def test_links_that_lead_out_of_the_repository_are_no_hindrance(project, trtbuild, tmp_path):
    """Nothing behind them is read: data there is as it lies here."""
    Path("photos").symlink_to(tmp_path)
    Path("gone.yaml").symlink_to("nowhere.yaml")
    Path("up.yaml").symlink_to("../../up.yaml")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")

    answer = trtbuild("diff", "--git", "main...main")

    assert (0, "") == (answer.code, answer.err)
    assert "recipe.yaml: the same\n" == answer.out
