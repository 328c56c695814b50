"""A recipe file to a checked Recipe with its text, or all its problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from trtbuild.core.errors import RecipeError, UsageError
from trtbuild.core.frozen import frozen
from trtbuild.recipe.checks import find_problems_across
from trtbuild.recipe.embedding import embed_preprocessing
from trtbuild.recipe.problems import Problem, find_nearest, sort_problems
from trtbuild.recipe.schema import EXTENDS, VARIANTS, WITHOUT, Recipe
from trtbuild.recipe.source import RecipeText, read_recipe_text

if TYPE_CHECKING:
    from trtbuild.backends import Target

__all__ = ["ExaminedRecipe", "LoadedRecipe", "check_source", "examine_recipe", "load_recipe"]


@frozen
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


@frozen
class ExaminedRecipe:
    """A recipe that was read, and all that is wrong with it."""

    file: Path
    """The recipe's path as the user gave it."""
    recipe: Recipe | None
    """Where something is wrong, without that: to read it raises; None where nothing is sound."""
    source: RecipeText
    problems: tuple[Problem, ...]
    unsound: frozenset[str] = frozenset()
    """The sections in which something is wrong."""

    def accept(self) -> LoadedRecipe:
        """Return it as a recipe to work with.

        Raises:
            RecipeError: all that is wrong with it, in file order.
        """
        if self.problems or self.recipe is None:
            raise RecipeError(self.problems)
        return LoadedRecipe(self.file, self.recipe, self.source)


def load_recipe(path: Path | str) -> LoadedRecipe:
    """Read and check a recipe without touching a model, a GPU or the store.

    Raises:
        RecipeError: all that is wrong with it, in file order.
        MissingFile: it is not there, is a directory, or may not be read.
    """
    return examine_recipe(path).accept()


def examine_recipe(path: Path | str) -> ExaminedRecipe:
    """Read a recipe, and say what is wrong with it.

    Of a file with variants, `NAME.VARIANT.yaml` is one, where there is no file of that name.

    Raises:
        MissingFile: it is not there, is a directory, or may not be read.
    """
    file = Path(path)
    if not file.exists():
        from trtbuild.recipe.variants import read_variant

        variant = read_variant(file)
        if variant is not None:
            return _examine(file, variant)
    return _examine(file, read_recipe_text(file))


def check_source(path: Path, source: RecipeText) -> LoadedRecipe:
    """Check a recipe whose text was read.

    Raises:
        RecipeError: all that is wrong with it, in file order.
    """
    return _examine(path, source).accept()


def _examine(path: Path, source: RecipeText) -> ExaminedRecipe:
    said = set(source.names(()))
    if "stages" in said and not {"model", EXTENDS} & said:
        told = "a file with `stages` is a pipeline, and no recipe"
        problem = source.problem(("stages",), told, f"`trtbuild run {path}` runs it", key=True)
        return ExaminedRecipe(path, None, source, sort_problems([*source.problems, problem]))
    if {EXTENDS, WITHOUT} & said:
        from trtbuild.recipe.extending import extend

        source = extend(path, source)
        said = set(source.names(()))
    if VARIANTS in said:
        from trtbuild.recipe.variants import refuse_variants

        source = refuse_variants(path, source)
    recipe, problems, unsound = _recipe(source)
    found = sort_problems([*source.problems, *problems])
    return ExaminedRecipe(path, recipe, source, found, unsound)


def _recipe(source: RecipeText) -> tuple[Recipe | None, list[Problem], frozenset[str]]:
    data = source.root.plain
    if source.root.bad:
        return None, [], frozenset()
    if not isinstance(data, dict):
        word = "a list" if isinstance(data, list) else "a line of text"
        told = f"a recipe is a mapping of sections, not {word}"
        hint = "begin with `version: 1`, a space after the colon"
        return None, [source.problem((), told, hint)], frozenset()
    unsound = frozenset(_find_unsound(source))
    try:
        recipe = embed_preprocessing(Recipe.model_validate_json(json.dumps(data)))
    except ValidationError as error:
        # The words for what is wrong wait until something is: a good recipe loads faster.
        from trtbuild.recipe.validation import translate_errors

        unsound |= {str(each["loc"][0]) for each in error.errors(include_url=False)}
        problems = translate_errors(error, source)
    else:
        problems = []
    if unsound:
        from trtbuild.recipe.partial import build_partial

        recipe = build_partial(data, source, _find_misspelt(source))
    found = find_problems_across(recipe, source, partial=bool(unsound))
    return recipe, [*problems, *found], unsound


def _find_unsound(source: RecipeText) -> set[str]:
    """Return the sections whose text is at fault, or that a misspelt key was meant to be."""
    sections = source.root.value
    if not isinstance(sections, dict):
        return set()
    return {name for name, node in sections.items() if not node.sound} | _find_misspelt(source)


def _find_misspelt(source: RecipeText) -> set[str]:
    known = set(Recipe.model_fields)
    sections = source.root.value
    unknown = sections.keys() - known if isinstance(sections, dict) else set()
    return {guess for name in unknown if (guess := find_nearest(name, known)) is not None}
