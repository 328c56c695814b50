"""A project of one layer, and a way to build it here and now."""

from __future__ import annotations

import pytest

from tests.helpers.projects import tiny_project
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.apply import apply_recipe


@pytest.fixture
def tiny(tmp_path):
    """The recipe of the project."""
    return tiny_project(tmp_path / "project")


@pytest.fixture
def apply(store, tmp_path):
    """Apply a recipe in this process; pages say how many engines there are."""

    def applied(recipe, **options):
        settings = {
            "executor": Inline(),
            "directory": tmp_path / "build",
            "targets": (),
            "listener": QuietListener(),
            "pages": {"page.md": lambda record: f"{len(record.targets)} engines"},
        }
        return apply_recipe(load_recipe(recipe), store, **{**settings, **options})

    return applied
