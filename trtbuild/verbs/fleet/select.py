"""Recipes by folders, and those of them that a change concerns."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from trtbuild.core.errors import MissingFile, RecipeError, UsageError
from trtbuild.core.options import list_locations
from trtbuild.plan.lock import find_lock
from trtbuild.recipe.extending import list_extended
from trtbuild.recipe.load import load_recipe
from trtbuild.recipe.source import read_recipe_text
from trtbuild.recipe.variants import expand_variants, find_recipe_file
from trtbuild.verbs.requirements import walk_sources
from trtbuild.verbs.revisions import SUFFIXES, is_recipe, list_changed_files

__all__ = ["find_recipes", "select_modified"]

_WILD = re.compile(r"[*?\[]")
MODIFIED = "state:modified"


def find_recipes(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return recipes as they are named, and in the place of a folder those in it, sorted.

    Of a file with variants, these.

    Raises:
        MissingFile: a folder holds none.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        inside = sorted(_iterate_recipes(path))
        if not inside:
            raise MissingFile(
                f"{path}: there is no recipe in it", hint="`trtbuild init MODEL` writes one"
            )
        found |= dict.fromkeys(inside)
    return tuple(dict.fromkeys(expand_variants(found)))


def _iterate_recipes(folder: Path) -> Iterator[Path]:
    for place, names in walk_sources(folder):
        for name in names:
            path = place / name
            if path.suffix in SUFFIXES and is_recipe(path):
                yield path


def select_modified(recipes: Sequence[Path], select: str, base: str) -> tuple[Path, ...]:
    """Return the recipes that differ from those at a revision, or stand on a file that does.

    These are the recipe, those that it extends, its lock, the files and folders that it names, and
    Python beside the code that it names. What such code imports from elsewhere is not seen.

    Raises:
        UsageError: that is no way to select, or git does not know the revision.
    """
    if select != MODIFIED:
        raise UsageError(f"`{select}` selects nothing", hint=f"--select {MODIFIED}")
    folders = {path.absolute().parent for path in recipes}
    changed = {each for top in folders for each in list_changed_files(base, folder=top)}
    real = {Path(os.path.realpath(each)) for each in changed}
    return tuple(path for path in recipes if _stands_on(path, real))


def _stands_on(recipe: Path, changed: Collection[Path]) -> bool:
    places = {Path(os.path.realpath(each)) for each in _list_places(recipe)}
    code = {each.parent for each in places if each.suffix == ".py"}
    return any(
        each in places
        or not places.isdisjoint(each.parents)
        or (each.suffix == ".py" and not code.isdisjoint(each.parents))
        for each in changed
    )


def _list_places(recipe: Path) -> Iterator[Path]:
    file = find_recipe_file(recipe)
    yield file
    yield find_lock(recipe)
    try:
        yield from list_extended(file, read_recipe_text(file))
        loaded = load_recipe(recipe)
    except (MissingFile, RecipeError):
        return  # building it says what is wrong with it, if it has changed
    for text in list_locations(loaded.recipe):
        plain = _cut(text)
        if plain:
            yield recipe.parent / plain


def _cut(text: str) -> str:
    """Return the path in what a recipe names: no URL, no function, nothing behind a wildcard."""
    if "://" in text:
        return ""
    path, colon, _ = text.partition(".py:")
    path = f"{path}.py" if colon else text
    wild = _WILD.search(path)
    return path[: wild.start()].rpartition("/")[0] if wild else path
