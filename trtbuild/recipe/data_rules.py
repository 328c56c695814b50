"""Rules on the data sets that sections name, for `recipe.checks`."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.recipe.problems import Problem, find_nearest
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.source import RecipeText

__all__ = ["find_absent_data"]


def find_absent_data(
    section: str, name: str | None, recipe: Recipe, source: RecipeText
) -> Iterator[Problem]:
    """Yield where a section names a data set that there is not, not even a wrong one."""
    known = source.names(("data",)) or list(recipe.data)
    if name is None or name in known:
        return
    guess = find_nearest(name, known)
    if guess is not None:
        hint = f"did you mean `{guess}`?"
    elif known:
        hint = f"data sets: {', '.join(sorted(known))}"
    else:
        hint = f"describe it: add `{clip(name)}` to the section `data`"
    yield source.problem((section, "data"), f"there is no data set `{clip(name)}`", hint)
