"""`--format json`: what programs read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest


def read(answer):
    """The JSON of an answer that says yes."""
    assert 0 == answer.code, answer.err
    return json.loads(answer.out)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"passed", "builds"}, ["apply", "recipe.yaml"]),
        ({"recipe", "steps"}, ["plan", "recipe.yaml"]),
        ({"steps"}, ["why", "recipe.yaml"]),
        ({"steps"}, ["why", "recipe.yaml", "quantize"]),
        ({"python", "gpus", "targets", "extras", "store"}, ["doctor"]),
        ({"locks"}, ["lock", "recipe.yaml"]),
        ({"steps"}, ["store", "ls"]),
        ({"root", "by_recipe", "objects", "stamps"}, ["store", "du"]),
        ({"objects", "damaged", "unreadable"}, ["store", "verify"]),
        ({"steps", "size_bytes", "kept_bytes"}, ["store", "gc", "--dry-run"]),
        ({"model", "ran", "outputs"}, ["run", "recipe.yaml", "--input", "inputs.npz"]),
    ],
)
def test_an_answer_is_one_object(applied_project, trtbuild, steps_here, keys, words):
    """With the keys that the README names, and nothing else on standard output."""
    np.savez("inputs.npz", input=np.zeros((1, 3, 8, 8), np.float32))

    assert keys <= set(read(trtbuild(*words, "--format", "json")))


def test_a_build_tells_all_that_its_report_is_made_from(applied_project, trtbuild, steps_here):
    """The gates among it, and what was written."""
    told = read(trtbuild("apply", "recipe.yaml", "--format", "json"))
    (build,) = told["builds"]

    assert (True, True) == (told["passed"], build["passed"])
    assert "comparison.json" in build["changed"]
    assert "small" == build["record"]["recipe"]
    assert [True] == [each["passed"] for each in build["record"]["comparison"]["verdicts"]]


def test_a_lock_is_written_and_checked(applied_project, trtbuild, steps_here):
    """Each recipe with what holds of it, and the exit code that it alone would give."""
    (written,) = read(trtbuild("lock", "recipe.yaml", "--format", "json"))["locks"]
    (checked,) = read(trtbuild("lock", "--check", "--format", "json"))["locks"]
    pins = read(trtbuild("lock", "--requirements", "recipe.yaml", "--format", "json"))

    assert (True, {"rtx": 1}, []) == tuple(
        written[x] for x in ("changed", "levels", "failed_gates")
    )
    assert (True, 0, []) == tuple(checked[x] for x in ("holds", "exit_code", "failed_gates"))
    assert any(pin.startswith("numpy==") for pin in pins["requirements"])
    Path("recipe.yaml").write_text(Path("recipe.yaml").read_text().replace("minmax", "mse"))
    answer = trtbuild("lock", "--check", "--format", "json")
    (checked,) = json.loads(answer.out)["locks"]
    assert (5, False, 5) == (answer.code, checked["holds"], checked["exit_code"])


def test_an_error_is_text_all_the_same(project, trtbuild):
    """On standard error, with its exit code; whoever reads JSON gets none."""
    answer = trtbuild("why", "recipe.yaml", "nothing", "--format", "json")

    assert (2, "") == (answer.code, answer.out)
    assert "there is no step `nothing`" in answer.err
