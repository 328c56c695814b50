"""Recipes built together: one that fails stops no other, and the exit code says so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers.executors import Recording
from trtbuild.core.errors import StepFailed, UsageError
from trtbuild.verbs.fleet.build import build_fleet

PATHS = [Path("a.yaml"), Path("b.yaml"), Path("c.yaml")]


def applied(status="ran", *, passed=True):
    outcomes = (SimpleNamespace(status=status),)
    return SimpleNamespace(overview=SimpleNamespace(outcomes=outcomes), changed=(), passed=passed)


def build(results, beside=1):
    heard = []

    def apply_one(path, executor):
        found = results[path.stem]
        if isinstance(found, BaseException):
            raise found
        return found

    done = build_fleet(PATHS, Recording(), apply_one, beside=beside, tell=heard.append)
    return done, heard


@pytest.mark.parametrize("beside", [1, 3])
def test_one_that_fails_stops_no_other(beside):
    """Each is told as it ends; the table has them in order."""
    failed = StepFailed("no", step="calibrate", log="/log", hint="look", code=3)
    done, heard = build({"a": failed, "b": applied(), "c": applied("reused")}, beside)

    assert ["failed", "built", "nothing to do"] == [each.verdict for each in done.recipes]
    assert {*PATHS} == {each.file for each in heard}
    first = done.recipes[0]
    assert ("calibrate: no", "look", "/log", 3) == (
        first.message, first.hint, first.log, first.code,
    )  # fmt: skip
    assert 3 == done.code


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ({}, 0),
        ({"b": applied(passed=False)}, 1),
        ({"a": applied(passed=False), "c": UsageError("no")}, 2),
    ],
)
def test_the_exit_code_is_that_of_the_first_that_failed(results, code):
    """Gates alone are 1, as ever."""
    assert code == build({**dict.fromkeys("abc", applied()), **results})[0].code


def test_a_bug_is_no_failure_of_a_recipe():
    """It is told as such, and all ends."""
    with pytest.raises(ZeroDivisionError):
        build({"a": applied(), "b": ZeroDivisionError(), "c": applied()}, beside=2)
