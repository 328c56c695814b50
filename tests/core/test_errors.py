"""Errors carry what a person needs: a message, a next move, and an exit code."""

from __future__ import annotations

import inspect

import pytest

from trtbuild.core import errors

CODES = {
    "UsageError": 2,
    "RecipeError": 2,
    "RangeFileError": 2,
    "StepInputError": 3,
    "StepFailed": 3,
    "MissingDependency": 4,
    "MissingFile": 4,
    "NotWritable": 4,
    "StoreInUse": 4,
    "NoGpu": 4,
    "WrongSystem": 4,
    "LockMismatch": 5,
    "PlanStale": 5,
    "CorruptObject": 5,
}
"""2 what you wrote, 3 a step, 4 something is not here, 5 it is not what was promised."""


def test_every_error_has_its_documented_exit_code():
    """Scripts go by it, so a code never moves and a new error gets one."""
    found = {
        name: each.code
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, errors.TrtbuildError) and each is not errors.TrtbuildError
    }

    assert CODES == found
    assert {*CODES, "TrtbuildError", "join_errors"} == set(errors.__all__)


def test_the_usual_hint_stands_in_for_none():
    """Who raises may know better; where nothing is said, the kind's own next move is."""
    assert "look here" == errors.MissingFile("m.onnx", hint="look here").hint
    assert errors.MissingFile.usual_hint == errors.MissingFile("m.onnx").hint != ""


@pytest.mark.parametrize("code", [3, 4, 70])
def test_a_failed_step_keeps_the_code_of_its_own_error(code):
    """What is missing in a worker is still missing (4), a bug still a bug (70)."""
    failed = errors.StepFailed("no luck", step="calibrate", log="a.log", code=code)

    assert (code, "calibrate", "a.log") == (failed.code, failed.step, failed.log)
    assert 3 == errors.StepFailed.code


def test_a_recipe_error_holds_all_problems_in_order():
    """Its text is theirs, with an empty line between."""

    class Said:
        def __init__(self, text):
            self.render = lambda: text

    error = errors.RecipeError([Said("line 1: a"), Said("line 9: b")])

    assert "line 1: a\n\nline 9: b" == str(error)
    assert 2 == len(error.problems)
