"""Every recipe in recipes/ validates and plans."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild import api

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_shipped_recipe_plans(recipe, tmp_path, monkeypatch):
    """Without running a step, a model, or the network."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))

    planned = api.plan(recipe)

    assert recipe.stem == planned.plan.recipe
    assert {"run"} == {each.verdict for each in planned.decisions} - {"deferred"}
