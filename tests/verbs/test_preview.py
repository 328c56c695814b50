"""What is shown of a recipe's data."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit, small_project
from trtbuild import api
from trtbuild.core.errors import UsageError


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A small project with a store of its own."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    return small_project(tmp_path)


def shown(recipe, **options):
    """Show without the model; returns the names of what was shown."""
    found = api.preview_data(
        recipe, out=recipe.parent / "out", model=False, executor="inline", **options
    )
    return [each.preview.data for each in found]


def test_data_that_nothing_reads_can_be_shown(recipe):
    """By its name; else what calibration and comparison read, in this order."""
    edit(recipe, "data:\n", "data:\n  spare: {kind: arrays, path: calib.npz}\n")

    assert ["calib", "eval"] == shown(recipe)
    assert ["spare"] == shown(recipe, data=["spare"])


def test_data_that_there_is_none_of_is_told(recipe):
    """With the nearest name."""
    with pytest.raises(UsageError) as error:
        shown(recipe, data=["evil"])

    assert "`eval`" in error.value.hint


def test_the_same_again_runs_nothing(recipe):
    """Each step lies in the store."""
    first = api.preview_data(recipe, out=recipe.parent / "out", model=False, executor="inline")
    again = api.preview_data(recipe, out=recipe.parent / "out", model=False, executor="inline")

    assert first == again
