"""A killed apply is finished by the next. tests/bench/disturbed.py kills fifty, by hand."""

from __future__ import annotations

import random

import pytest

from tests.bench.disturbed import left, survives

CHANCE = random.Random(6)
MOMENTS = [round(CHANCE.uniform(low, low + 0.9), 2) for low in (0.2, 1.1)]


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_apply_that_was_killed_is_finished_by_the_next(applied_project, tmp_path, moment):
    """The bytes are those of an undisturbed run, and everything in the store is whole."""
    expected = left(applied_project.parent / "build/small")

    survives(tmp_path / "disturbed", moment, expected)
