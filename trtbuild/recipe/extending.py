"""A recipe that begins with another: what it says itself is merged over that."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from trtbuild.core.errors import MissingFile
from trtbuild.recipe.compose import Node
from trtbuild.recipe.problems import Problem
from trtbuild.recipe.schema import EXTENDS, WITHOUT
from trtbuild.recipe.source import RecipeText, read_recipe_text

__all__ = ["extend", "lay_over", "list_extended"]

_MOST = 8
"""Recipes, one extending the other."""


def extend(path: Path, source: RecipeText) -> RecipeText:
    """Return a recipe's text with that of the recipe that it extends beneath it.

    Mappings are merged key by key, but for those of another `kind`, which take the other's place,
    as all other values do. What `without` names is left out. What is wrong with any of it is among
    the problems, at its own line.
    """
    return _extend(path, source, (path.absolute(),))


def list_extended(path: Path, source: RecipeText) -> tuple[Path, ...]:
    """Return the files that a recipe extends, the nearest first; as far as they can be read."""
    found: list[Path] = []
    base = _name_base(path, source)
    while base is not None and len(found) < _MOST and base.absolute() != path.absolute():
        found.append(base)
        try:
            base = _name_base(base, read_recipe_text(base))
        except MissingFile:
            break
    return tuple(found)


def _extend(path: Path, source: RecipeText, before: tuple[Path, ...]) -> RecipeText:
    if EXTENDS not in source.names(()):
        if WITHOUT in source.names(()):
            told = f"`{WITHOUT}` leaves out what another recipe says, and none is extended"
            problem = source.problem((WITHOUT,), told, "remove it", key=True)
            return _drop_words(source, (problem,))
        return source
    base, why = _name_base(path, source), ""
    if base is None or base.parent != path.parent:
        why = "a recipe extends one that lies beside it, by its name"
    elif base.absolute() in before:
        why = "a recipe cannot extend itself"
    elif len(before) == _MOST:
        why = f"more than {_MOST} recipes extend one another"
    if base is None or why:
        problem = source.problem((EXTENDS,), why, "write `extends: other.yaml`")
        return _drop_words(source, (problem,))
    try:
        text = _extend(base, read_recipe_text(base), (*before, base.absolute()))
    except MissingFile as error:
        problem = source.problem((EXTENDS,), error.message, error.hint)
        return _drop_words(source, (problem,))
    root, problems = lay_over(source, _mark(text.root, 1))
    problems = [*source.problems, *text.problems, *problems]
    return RecipeText(source.file, source.lines, root, tuple(problems), text.texts)


def _name_base(path: Path, source: RecipeText) -> Path | None:
    node = source.node((EXTENDS,))
    if node is None or not isinstance(node.value, str) or not node.value:
        return None
    return path.parent / os.path.normpath(node.value)


def lay_over(own: RecipeText, beneath: Node) -> tuple[Node, list[Problem]]:
    """Return what a text says merged over what lies beneath, and what is wrong with it.

    Nodes that lie beneath know already which text they are of.
    """
    gone, problems = _read_without(own, beneath)
    kept = own.root
    if isinstance(beneath.value, dict) and isinstance(kept.value, dict):
        wanted = {key: each for key, each in beneath.value.items() if key not in gone}
        over = {k: each for k, each in kept.value.items() if k not in (EXTENDS, WITHOUT)}
        keys = {**beneath.keys, **kept.keys}
        kept = _merge(replace(beneath, value=wanted), replace(kept, value=over))
        kept = replace(kept, keys=keys)
    return kept, problems


def _read_without(own: RecipeText, base: Node) -> tuple[set[str], list[Problem]]:
    """Return the sections that are left out, and what is wrong with that list."""
    node = own.node((WITHOUT,))
    if node is None:
        return set(), []
    known = set(base.value) if isinstance(base.value, dict) else set()
    items = node.value if isinstance(node.value, list) else None
    if items is None:
        told = f"`{WITHOUT}` is a list of sections to leave out"
        return set(), [own.problem((WITHOUT,), told, "write `without: [quantization]`")]
    gone, problems = set(), []
    for place, item in enumerate(items):
        if isinstance(item.value, str) and item.value in known:
            gone.add(item.value)
        else:
            told = f"there is no section `{item.value}` to leave out"
            hint = f"it has {', '.join(sorted(known))}"
            problems.append(own.problem((WITHOUT, place), told, hint))
    return gone, problems


def _mark(node: Node, by: int) -> Node:
    """Return a node whose text, and those of all in it, are so many further down."""
    value = node.value
    if isinstance(value, dict):
        value = {key: _mark(each, by) for key, each in value.items()}
    elif isinstance(value, list):
        value = [_mark(each, by) for each in value]
    return replace(node, value=value, text=node.text + by)


def _merge(base: Node, own: Node) -> Node:
    if not isinstance(base.value, dict) or not isinstance(own.value, dict):
        return own
    kinds = [each.value.get("kind") for each in (base, own) if isinstance(each.value, dict)]
    if kinds[1] is not None and (kinds[0] is None or kinds[0].value != kinds[1].value):
        return own
    merged = dict(base.value)
    for key, each in own.value.items():
        merged[key] = _merge(merged[key], each) if key in merged else each
    return replace(own, value=merged, keys={**base.keys, **own.keys})


def _drop_words(source: RecipeText, problems: tuple[Problem, ...]) -> RecipeText:
    """Return a text without what is said of extending, so that no rule takes it for a section."""
    value = source.root.value
    assert isinstance(value, dict)  # noqa: S101  # it has such a key
    kept = {key: each for key, each in value.items() if key not in (EXTENDS, WITHOUT)}
    root = replace(source.root, value=kept)
    return RecipeText(source.file, source.lines, root, (*source.problems, *problems))
