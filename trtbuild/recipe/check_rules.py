"""Rules on the static checks that a recipe turns off, for `recipe.checks`."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.recipe.problems import Path, Problem, find_nearest
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.source import RecipeText

__all__ = ["checks_exist"]


def checks_exist(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """What is turned off is a rule."""
    if not recipe.checks.off:
        return
    from trtbuild.quant.rules.table import TABLE

    codes = [rule.code for rule in TABLE]
    for code, reason in recipe.checks.off.items():
        path: Path = ("checks", "off", code)
        if code not in codes:
            guess = find_nearest(code, codes)
            hint = f"did you mean `{guess}`?" if guess else f"rules: {codes[0]} to {codes[-1]}"
            yield source.problem(path, f"there is no rule `{clip(code)}`", hint, key=True)
        elif not reason.strip():
            told = f"{code} is turned off without a reason"
            yield source.problem(path, told, "say why it is wrong about this model")
