"""Every recipe in recipes/ validates and plans."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from trtbuild import api

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_shipped_recipe_plans(recipe, tmp_path, monkeypatch):
    """Without running a step, a model, or the network; what scripts make is there."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    for folder in ("recipes", "calib_data"):
        shutil.copytree(recipe.parents[1] / folder, tmp_path / folder)
    (tmp_path / "calib_data/shapes_calib.mp4").touch()

    planned = api.plan(tmp_path / "recipes" / recipe.name)

    assert recipe.stem == planned.plan.recipe
    assert {"run"} == {each.verdict for each in planned.decisions} - {"deferred"}
