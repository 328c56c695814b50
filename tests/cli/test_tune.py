"""trtbuild tune, as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.projects import edit
from tests.helpers.tuning import few_stages, needy_project

__all__ = ["few_stages"]


@pytest.fixture
def needy(tmp_path, monkeypatch, steps_here, few_stages):
    """The current directory is that of a project with one bad layer."""
    recipe = needy_project(tmp_path / "project")
    monkeypatch.chdir(recipe.parent)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    return recipe


def test_the_answer_is_the_frontier_and_a_patch(needy, trtbuild):
    """What was tried goes to standard error; with --write the patch is in the recipe."""
    answer = trtbuild("tune", "recipe.yaml")
    lines = answer.out.splitlines()
    found = json.loads(Path("build/needy/tune.json").read_text())
    written = trtbuild("tune", "recipe.yaml", "-q", "--write", "--format", "json")
    again = trtbuild("tune", "recipe.yaml")

    assert 0 == answer.code, answer.err
    assert lines[0].startswith("every gate passes: sqnr_db ")
    assert any(" * " in line and " 60.00 % " in line for line in lines)
    assert "+    - first  # alone in INT8: " in answer.out
    assert "hint: --write changes recipe.yaml so" in answer.err
    assert "  0  as the recipe is: sqnr_db " in answer.err
    assert found["passed"]
    assert "third data set" in answer.out
    assert json.loads(written.out)["written"]
    assert (0, True) == (again.code, again.out.startswith("every gate passes as it is: "))


def test_gates_that_are_not_reached_are_exit_code_1(needy, trtbuild):
    """What is best is shown, and how to have it all the same."""
    edit(needy, "at_least: 25", "at_least: 90")
    answer = trtbuild("tune", "recipe.yaml", "--budget", "0s", "--write")

    assert 1 == answer.code
    assert answer.out.startswith("the gates are not reached, and nothing that was tried is better")


@pytest.mark.parametrize(
    ("options", "said"), [(["--budget", "long"], "`long` is no time"), (["--best"], "--write")]
)
def test_options_that_say_nothing_are_refused(needy, trtbuild, options, said):
    """Exit code 2, and what to write."""
    answer = trtbuild("tune", "recipe.yaml", *options)

    assert (2, True) == (answer.code, said in answer.err)
