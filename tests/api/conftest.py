"""A project of one layer with a store of its own, and the API told in words."""

from __future__ import annotations

import pytest

from tests.helpers.projects import tiny_project
from trtbuild.api.executors import EXECUTORS
from trtbuild.run.inline import Inline


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The recipe, as a notebook beside it names it; steps run in this process."""
    recipe = tiny_project(tmp_path / "project")
    monkeypatch.chdir(recipe.parent)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    monkeypatch.setitem(EXECUTORS, "local", lambda _jobs: Inline())
    return recipe.name
