"""A recipe file to a checked Recipe with its text, or all its problems."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ValidationError

from trtbuild.core.errors import RecipeError, UsageError
from trtbuild.recipe.checks import find_problems_across
from trtbuild.recipe.problems import Problem, find_nearest, sort_problems
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.source import RecipeText, read_recipe_text

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from trtbuild.backends import Target

__all__ = ["LoadedRecipe", "check_source", "load_recipe"]


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe that was accepted, and its text."""

    file: Path
    """The recipe's path as the user gave it."""
    recipe: Recipe
    source: RecipeText

    def target(self, name: str) -> Target:
        """Return a target by its name.

        Raises:
            UsageError: there is no such target; names those there are.
        """
        found = self.recipe.targets.get(name)
        if found is None:
            hint = "targets of this recipe: " + ", ".join(self.recipe.targets)
            raise UsageError(f"{self.file}: there is no target `{name}`", hint=hint)
        return found


def load_recipe(path: Path | str) -> LoadedRecipe:
    """Read and check a recipe without touching a model, a GPU or the store.

    Raises:
        RecipeError: all that is wrong with it, in file order.
        MissingFile: it is not there, is a directory, or may not be read.
    """
    file = Path(path)
    return check_source(file, read_recipe_text(file))


def check_source(path: Path, source: RecipeText) -> LoadedRecipe:
    """Check a recipe whose text was read.

    Raises:
        RecipeError: all that is wrong with it, in file order.
    """
    recipe, problems = _recipe(source)
    found = sort_problems([*source.problems, *problems])
    if found or recipe is None:
        raise RecipeError(found)
    return LoadedRecipe(path, recipe, source)


def _recipe(source: RecipeText) -> tuple[Recipe | None, list[Problem]]:
    data = source.root.plain
    if source.root.bad:
        return None, []
    if not isinstance(data, dict):
        word = "a list" if isinstance(data, list) else "a line of text"
        told = f"a recipe is a mapping of sections, not {word}"
        return None, [source.problem((), told, "begin with `version: 1`, a space after the colon")]
    unsound = frozenset(_find_unsound(source))
    try:
        recipe = Recipe.model_validate_json(json.dumps(data))
    except ValidationError as error:
        # The words for what is wrong wait until something is: a good recipe loads faster.
        from trtbuild.recipe.validation import translate_errors

        unsound |= {str(each["loc"][0]) for each in error.errors(include_url=False)}
        across = find_problems_across(_build_partial(data, unsound), source, unsound)
        return None, [*translate_errors(error, source), *across]
    return recipe, find_problems_across(recipe, source, unsound)


def _find_unsound(source: RecipeText) -> set[str]:
    """Return the sections whose text is at fault, or that a misspelt key was meant to be."""
    sections = source.root.value
    if not isinstance(sections, dict):
        return set()
    known = set(Recipe.model_fields)
    unknown = sections.keys() - known
    return {
        *(name for name, node in sections.items() if not node.sound),
        *(guess for name in unknown if (guess := find_nearest(name, known)) is not None),
    }


def _build_partial(data: dict[str, Any], unsound: frozenset[str]) -> Recipe:
    """Return a recipe of the sections that are sound; the others are not to be looked at."""
    sections = {
        name: _section_reader(name).validate_json(json.dumps([data[name]]))[0]
        for name in Recipe.model_fields
        if name in data and name not in unsound
    }
    return Recipe.model_construct(**sections)


@cache
def _section_reader(name: str) -> TypeAdapter[tuple[Any]]:
    from pydantic import ConfigDict, TypeAdapter

    field = Recipe.model_fields[name]
    # In a tuple, since a section that is a model brings a configuration, and takes no other.
    wrapped: Any = tuple
    annotation: Any = Annotated[field.annotation, field]
    return TypeAdapter(wrapped[annotation], config=ConfigDict(strict=True))
