"""Each bad recipe earns exactly the words beside it; `--rewrite-golden` takes new ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.helpers.spoilt import add_sections
from trtbuild.core.errors import RecipeError
from trtbuild.recipe.load import check_source, load_recipe
from trtbuild.recipe.problems import render_problems
from trtbuild.recipe.source import parse_recipe_text

RECIPES = Path(__file__).parent / "recipes"
BAD = sorted(RECIPES.glob("*.yaml"))


@pytest.mark.parametrize("recipe", BAD, ids=lambda path: path.stem)
def test_a_bad_recipe_earns_its_words(recipe, golden, monkeypatch):
    """`trtbuild validate` says what is wrong, where, and what to write instead."""
    monkeypatch.chdir(RECIPES)

    with pytest.raises(RecipeError) as caught:
        load_recipe(Path(recipe.name))

    golden(f"recipes/{recipe.stem}.txt", render_problems(caught.value.problems) + "\n")


def test_a_mistake_is_told_whatever_else_a_recipe_has():
    """The same mistakes in recipes with every section that there is, but for what lacked one."""
    told = 0
    for recipe in BAD:
        data = add_sections(recipe.read_bytes().decode("utf-8", "replace")).encode()
        with contextlib.suppress(RecipeError):
            check_source(recipe, parse_recipe_text(recipe.name, data))
            continue
        told += 1

    assert len(BAD) - 10 < told


def test_no_words_lack_their_recipe():
    """A golden text that nothing earns would be dead."""
    assert [] == [
        text.stem for text in RECIPES.glob("*.txt") if text.with_suffix(".yaml") not in BAD
    ]
