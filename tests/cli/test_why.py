"""trtbuild why, and plans that are saved and applied."""

from __future__ import annotations

import json
import re

import pytest

from tests.helpers.projects import edit
from trtbuild.api import executors

pytestmark = pytest.mark.usefixtures("steps_here")


@pytest.fixture
def applied(applied_project):
    return applied_project


def test_why_tells_of_the_last_run_and_of_the_next(applied, trtbuild):
    """What moved between the last two runs, and what would move in the next."""
    edit(applied, "calibrator: {kind: minmax}", "calibrator: {kind: percentile, percentile: 99.0}")
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    edit(applied, "percentile: 99.0", "percentile: 98.5")

    last, next_ = trtbuild("why", "recipe.yaml").out.split("next run:")

    assert "params.calibrator.kind: minmax → percentile" in last
    assert "after calibrate" in last
    assert "unchanged" in last
    assert "params.calibrator.percentile: 99.0 → 98.5" in next_
    assert "reuse" in next_


def test_why_shows_all_that_a_step_is_made_of(applied, trtbuild):
    """Params with defaults filled in, inputs, facts."""
    shown = trtbuild("why", "recipe.yaml", "build_engine(rtx)").out

    assert "params.backend.workspace: 268435456" in shown
    assert "facts.tensorrt_rtx_cu13_libs: " in shown
    assert "next: reuse" in shown


def test_the_log_of_a_good_build_can_be_read(applied, trtbuild, monkeypatch):
    """At TensorRT's level that was asked for when it ran; one that is reused has the old one."""
    monkeypatch.setitem(executors.EXECUTORS, "local", executors._local)  # a step with a log
    usual = trtbuild("why", "recipe.yaml", "--log").out
    reused = trtbuild("apply", "--log-level", "verbose", "recipe.yaml").out
    edit(applied, "compute_capabilities: [8.9]", "compute_capabilities: [8.6]")
    anew = trtbuild("apply", "--log-level", "verbose", "recipe.yaml").out
    verbose = trtbuild("why", "recipe.yaml", "build_engine(rtx)", "--log").out

    assert "Max Scratch Memory: " in usual
    assert "log of build_engine(rtx) (info): " in reused
    assert "it was built before, with `--log-level info`, and is reused" in reused
    assert "log of build_engine(rtx) (verbose): " in anew
    assert "is reused" not in anew
    assert len(verbose.splitlines()) > 2 * len(usual.splitlines())
    assert "log (verbose): " in trtbuild("why", "recipe.yaml", "build_engine(rtx)").out


def test_a_step_without_a_log_says_so(applied, trtbuild):
    """With what has one."""
    answer = trtbuild("why", "recipe.yaml", "calibrate", "--log")

    assert 2 == answer.code
    assert "no log of `calibrate` is kept" in answer.err


def test_an_unknown_step_is_a_usage_error(applied, trtbuild):
    """With the steps that there are."""
    answer = trtbuild("why", "recipe.yaml", "bild")

    assert 2 == answer.code
    assert "import_model" in answer.err


def test_a_saved_plan_is_applied(project, trtbuild):
    """By itself it knows its recipe and targets, from wherever it is applied."""
    assert 0 == trtbuild("plan", "recipe.yaml", "--target", "rtx", "--out", "saved.json").code

    answer = trtbuild("apply", "--plan", "saved.json")

    assert 0 == answer.code, answer.err
    assert "3 of 3 delivered" in answer.out


def test_a_stale_plan_is_refused(applied, trtbuild):
    """With what has changed since; nothing is run."""
    trtbuild("plan", "recipe.yaml", "--out", "saved.json")
    edit(applied, "kind: minmax", "kind: mse")

    answer = trtbuild("apply", "--plan", "saved.json")

    assert 5 == answer.code
    assert "calibrate: params.calibrator.kind: minmax → mse" in answer.err
    assert "1 to run" in trtbuild("plan", "recipe.yaml").out


def test_a_saved_plan_shows_nothing_of_a_file_that_is_no_recipe(project, trtbuild, tmp_path):
    """It may name any file; what is in there is for whoever asks for it by its name."""
    assert 0 == trtbuild("plan", "recipe.yaml", "--out", "saved.json").code
    secret = tmp_path / "secret"
    secret.write_text("password: hunter2\n")
    saved = project.parent / "saved.json"
    saved.write_text(json.dumps({**json.loads(saved.read_text()), "recipe": str(secret)}))

    answer = trtbuild("apply", "--plan", "saved.json")

    assert 5 == answer.code
    assert "the saved plan is stale" in answer.err
    assert "hint: `trtbuild validate " in answer.err
    assert not {"password", "hunter2"} & set(re.findall(r"\w+", answer.out + answer.err))


def test_a_plan_whose_results_left_the_store_is_stale(applied, trtbuild):
    """What was to be reused would run."""
    trtbuild("plan", "recipe.yaml", "--out", "saved.json")
    steps = json.loads(trtbuild("plan", "recipe.yaml", "--format", "json").out)["steps"]
    (digest,) = (each["digest"] for each in steps if each["step"] == "calibrate")
    (applied.parent.parent / f"store/actions/{digest[7:]}.json").unlink()

    answer = trtbuild("apply", "--plan", "saved.json")

    assert 5 == answer.code
    assert "calibrate: was to be reused" in answer.err


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 9}', "\x00"])
def test_what_is_no_saved_plan_is_said_to_be(project, trtbuild, text):
    """One sentence, and how to write one."""
    (project.parent / "saved.json").write_text(text)

    answer = trtbuild("apply", "--plan", "saved.json")

    assert 2 == answer.code
    assert "no saved plan" in answer.err


def test_apply_without_a_recipe_says_what_to_type(project, trtbuild):
    """It is a usage error, not silence."""
    assert 2 == trtbuild("apply").code
