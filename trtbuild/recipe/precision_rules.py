"""Rules on what is computed in where it is not INT8."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.recipe.data_rules import find_absent_data
from trtbuild.recipe.problems import Path, Problem
from trtbuild.recipe.schema import Precision, Recipe
from trtbuild.recipe.source import RecipeText

__all__ = ["find_high_type", "precision_is_said_once", "precision_suits_the_rest"]


def find_high_type(recipe: Recipe) -> str:
    """Return what a recipe computes in where it does not compute in INT8."""
    if recipe.quantization is not None:
        return recipe.quantization.high_precision
    asked = recipe.precision
    return asked.type if isinstance(asked, Precision) else asked


def _keeps_io_types(recipe: Recipe) -> bool:
    if recipe.quantization is not None:
        return recipe.quantization.keep_io_types
    return not isinstance(recipe.precision, Precision) or recipe.precision.keep_io_types


def precision_is_said_once(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Beside INT8 there is `high_precision`."""
    if recipe.quantization is not None and recipe.precision != "fp32":
        told = "`precision` is for models without INT8, and this recipe has a `quantization`"
        asked = recipe.precision
        name = asked.type if isinstance(asked, Precision) else asked
        hint = f"write `high_precision: {name}` below `quantization` instead"
        yield source.problem(("precision",), told, hint, key=True)


def precision_suits_the_rest(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """The data exists, and ranges are no obstacle."""
    asked, section = recipe.precision, recipe.quantization
    where: Path = ("quantization", "high_precision") if section else ("precision",)
    if isinstance(asked, Precision) and asked.data is not None:
        yield from find_absent_data("precision", asked.data, recipe, source)
    if section is not None and section.mode == "implicit" and section.high_precision != "fp32":
        told = "with `mode: implicit`, types are not written into the model"
        yield source.problem(where, told, "use `mode: explicit`")
    if find_high_type(recipe) == "fp32" and not _keeps_io_types(recipe):
        option = "high_precision" if section else "type"
        told = f"inputs and outputs get the type of `{option}`, which is fp32"
        hint = f"write `{option}: fp16`, or remove `keep_io_types`"
        yield source.problem((where[0], "keep_io_types"), told, hint, key=True)
