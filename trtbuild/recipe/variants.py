"""Variants: recipes that share one file, each what the file says but for what it says itself."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from trtbuild.core.errors import MissingFile
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path
from trtbuild.recipe.compose import Node
from trtbuild.recipe.extending import extend, lay_over
from trtbuild.recipe.problems import Problem, find_nearest
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.schema import EXTENDS, VARIANT_PATTERN, VARIANTS
from trtbuild.recipe.source import RecipeText, read_recipe_text

__all__ = [
    "expand_variants",
    "find_recipe_file",
    "find_variant",
    "lies_there",
    "list_variants",
    "name_variant",
    "read_shared_name",
    "read_variant",
    "refuse_variants",
    "take_variant",
]

_HELD = frozenset({"version", EXTENDS, VARIANTS})
"""What a file says once, for all of its variants."""
_WORDS = (VARIANTS.encode(), EXTENDS.encode())


def name_variant(path: Path, variant: str) -> Path:
    """Return the path by which a variant goes: `resnet50.int8.yaml`, of `resnet50.yaml`."""
    return path.with_name(f"{path.stem}.{variant}{path.suffix}")


def find_recipe_file(path: Path) -> Path:
    """Return the file that a recipe's path means: of a variant, the one that holds it."""
    return find_variant(path)[0]


def find_variant(path: Path) -> tuple[Path, str]:
    """Return the file that a recipe's path means, and the variant in it: none where that is it."""
    return _split(path) or (path, "")


def lies_there(path: Path) -> bool:
    """Tell whether there is such a recipe: a file, or a variant in one."""
    if path.is_file():
        return True
    place = _split(path)
    return place is not None and place[1] in list_variants(place[0])


def list_variants(path: Path) -> tuple[str, ...]:
    """Return the names of the variants of a recipe, in its order; none where it cannot be read."""
    try:
        # To compose hundreds of recipes once more would take time.
        if not any(word in read_regular(path) for word in _WORDS):
            return ()
        source = extend(path, read_recipe_text(path))
    except MissingFile:
        return ()
    return tuple(source.names((VARIANTS,)))


def expand_variants(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return recipes, and in the place of one that has variants these.

    Where a variant's name is none, no path can have it: the recipe stands for itself, and says so.
    """
    found: list[Path] = []
    for path in paths:
        names = list_variants(path)
        sound = bool(names) and all(map(_is_name, names))
        found += [name_variant(path, name) for name in names] if sound else [path]
    return tuple(found)


def read_shared_name(file: Path) -> str:
    """Return the name under which results of all variants of a file are placed."""
    name = extend(file, read_recipe_text(file)).root.plain.get("name")
    return name if isinstance(name, str) and name else file.stem


def read_variant(path: Path) -> RecipeText | None:
    """Return the text of a variant, where that is what a path means.

    Raises:
        MissingFile: the file that the path points to has variants, and not this one.
    """
    place = _split(path)
    if place is None:
        return None
    file, name = place
    source = extend(file, read_recipe_text(file))
    known = source.names((VARIANTS,))
    if not known:
        return None
    if name not in known:
        near = find_nearest(name, known) or known[0]
        raise MissingFile(
            f"{path}: no such file, and {file} has no variant `{name}`",
            hint=f"it has {', '.join(known)}: {name_variant(file, near)}",
        )
    return take_variant(source, name)


def refuse_variants(path: Path, source: RecipeText) -> RecipeText:
    """Return a text without its variants, and with a problem that says to name one."""
    names = source.names((VARIANTS,))
    told = f"this recipe has {len(names)} variants, and one is to be named"
    sound = [str(name_variant(path, name)) for name in names if _is_name(name)]
    hint = f"give one of {', '.join(sound)}"
    if not names:
        told, hint = "variants are mappings, by their names", "write `variants: {fp16: {...}}`"
    problems = [_refuse_name(source, name) for name in names if not _is_name(name)] or [
        source.problem((VARIANTS,), told, hint, key=True)
    ]
    return replace(source, root=_leave_out(source.root), problems=(*source.problems, *problems))


def _refuse_name(source: RecipeText, name: str) -> Problem:
    told = f"`{clip(name)}` is no name of a variant: letters, digits, `_` and `-`"
    return source.problem((VARIANTS, name), told, "rename it", key=True)


def _split(path: Path) -> tuple[Path, str] | None:
    """Return a recipe's file and the variant that a path names, where there is no such file."""
    stem, _, name = path.stem.rpartition(".")
    note_path(path)
    if not stem or not name or os.path.lexists(path):
        return None
    file = path.with_name(f"{stem}{path.suffix}")
    return (file, name) if file.is_file() else None


def take_variant(source: RecipeText, name: str) -> RecipeText:
    """Return a text with one of its variants laid over it, and without all of them."""
    root = _leave_out(source.root)
    own = source.node((VARIANTS, name))
    problems = tuple(_find_problems(source, name))
    if own is not None and isinstance(own.value, dict):
        kept = {key: each for key, each in own.value.items() if key not in _HELD}
        over = replace(source, root=replace(own, value=_call(root, kept, own, name)))
        root, more = lay_over(over, root)
        problems += tuple(more)
    return replace(source, root=root, problems=(*_list_others(source), *problems))


def _list_others(source: RecipeText) -> list[Problem]:
    """Return what is wrong with a text but for variants without a value: each tells of itself."""
    empty = [
        source.find((VARIANTS, name), key=True)
        for name in source.names((VARIANTS,))
        if (node := source.node((VARIANTS, name))) is not None and node.value is None
    ]
    return [each for each in source.problems if each.path or each.mark not in empty]


def _call(root: Node, kept: dict[str, Node], own: Node, name: str) -> dict[str, Node]:
    """Return what a variant says with its name: that of the recipe, and its own behind a dot."""
    base = root.child("name")
    sound = base is not None and isinstance(base.value, str) and _is_name(name)
    if "name" in kept or base is None or not sound:
        return kept
    return {**kept, "name": Node(own.at, f"{base.value}.{name}", text=own.text)}


def _find_problems(source: RecipeText, name: str) -> Iterable[Problem]:
    place = (VARIANTS, name)
    own = source.node(place)
    if not _is_name(name):
        yield _refuse_name(source, name)
    if own is None or not isinstance(own.value, dict):
        told = "a variant is a mapping of what is different in it"
        yield source.problem(place, told, f"write `{name}: {{precision: fp16}}`, or `{{}}`")
        return
    for key in _HELD.intersection(own.value):
        told = f"`{key}` is said once, for all variants"
        yield source.problem((*place, key), told, "move it out of the variant", key=True)


def _is_name(name: str) -> bool:
    return re.fullmatch(VARIANT_PATTERN, name) is not None


def _leave_out(root: Node) -> Node:
    assert isinstance(root.value, dict)  # noqa: S101  # it has such a key
    return replace(root, value={k: each for k, each in root.value.items() if k != VARIANTS})
