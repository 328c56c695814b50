"""A recipe's patterns over nodes × its model → problems: what means nothing, what contradicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from trtbuild.core.patterns import find_matches, find_nodes, find_strongest
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.values import Signature
from trtbuild.model.nodes import WEIGHTED
from trtbuild.plan.nearest import suggest_nearest
from trtbuild.recipe.problems import Path, Problem
from trtbuild.recipe.schema import Precision, Recipe

if TYPE_CHECKING:
    from trtbuild.recipe.load import LoadedRecipe

__all__ = ["find_pattern_problems"]

SECTION = "quantization"
Nodes = Mapping[str, str]
"""Name → operator."""


def find_pattern_problems(loaded: LoadedRecipe, signature: Signature) -> Iterator[Problem]:
    """Yield what is wrong with the patterns over nodes of a recipe, for a model's nodes."""
    nodes = {node.name: node.op for node in signature.nodes}
    layers = {name: op for name, op in nodes.items() if op in WEIGHTED}
    yield from _find_idle(loaded, nodes)
    yield from _find_needless_allowances(loaded, layers)
    yield from _find_names_like_patterns(loaded, nodes)
    yield from _find_contradictions(loaded, nodes)
    yield from _find_skipped_int8(loaded, nodes)


def _find_idle(loaded: LoadedRecipe, nodes: Nodes) -> Iterator[Problem]:
    operators = sorted({f"op:{op}" for op in nodes.values()})
    for pattern, path in _list_patterns(loaded.recipe):
        pool = operators if pattern.startswith("op:") else list(nodes)
        if not find_matches(pattern, pool):
            message = f"`{pattern}` matches no node of the model"
            hint = suggest_nearest(pattern, pool)
            yield loaded.source.problem(path, message, hint, key=path[-1] == pattern)


def _list_patterns(recipe: Recipe) -> Iterator[tuple[str, Path]]:
    """Yield the patterns over nodes that a recipe's precisions rest on, each with its place."""
    section, rest = recipe.quantization, recipe.precision
    if section is not None:
        yield from ((each, (SECTION, "skip", i)) for i, each in enumerate(section.skip))
        yield from ((each, (SECTION, "precision", each)) for each in section.precision)
    if isinstance(rest, Precision):
        yield from ((each, ("precision", "fp32", i)) for i, each in enumerate(rest.fp32))


def _find_needless_allowances(loaded: LoadedRecipe, layers: Nodes) -> Iterator[Problem]:
    """Yield the patterns of `allow_float` that no layer could need."""
    section = loaded.recipe.quantization
    pool = [*layers, *sorted({f"op:{op}" for op in layers.values()})]
    word = TYPES[section.type].word if section else ""
    for index, pattern in enumerate(section.allow_float if section else ()):
        if not find_nodes(pattern, layers):
            message = f"`{pattern}` matches no layer that {word} is for ({', '.join(WEIGHTED)})"
            path: Path = (SECTION, "allow_float", index)
            yield loaded.source.problem(path, message, suggest_nearest(pattern, pool))


def _find_names_like_patterns(loaded: LoadedRecipe, nodes: Nodes) -> Iterator[Problem]:
    """Yield the names of nodes that, read as patterns, would mean others as well."""
    for pattern, path in _list_patterns(loaded.recipe):
        others = [name for name in nodes if name != pattern and fnmatchcase(name, pattern)]
        if pattern in nodes and others:
            told = f"`{pattern}` is the name of a node; as a pattern it would mean `{others[0]}`"
            hint = (
                f"write `{pattern.replace('[', '[[]')}` for the node alone, and `{others[0]}` "
                "beside it if that is meant too"
            )
            yield loaded.source.problem(path, told, hint, key=path[-1] == pattern)


def _find_contradictions(loaded: LoadedRecipe, nodes: Nodes) -> Iterator[Problem]:
    """Yield where two patterns of `precision` say different things of a node, but for an exception.

    The most specific counts. Written below what it is an exception of, it is also what counts for
    a reader who takes the last to win; anywhere else, one of the two is misled.
    """
    section = loaded.recipe.quantization
    asked = section.precision if section else {}
    meant = _find_meant(asked, nodes)
    told = set()
    for name in nodes:
        found = [each for each in asked if name in meant[each]]
        first, *others = find_strongest(name, found, meant) or [""]
        rival = next((each for each in others if asked[each] != asked[first]), "")
        late = "" if rival or not found or name in asked else found[-1]
        if rival and (first, rival) not in told:
            told.add((first, rival))
            message = f"`{first}` and `{rival}` both mean `{name}`, and neither is more specific"
            hint = f"give `{name}` a precision by its name, or mean fewer nodes with one of the two"
            yield loaded.source.problem((SECTION, "precision", rival), message, hint, key=True)
        elif late and asked[late] != asked[first] and (first, late) not in told:
            told.add((first, late))
            yield _tell_order(loaded, asked, name, (first, late))


def _tell_order(
    loaded: LoadedRecipe, asked: Mapping[str, str], name: str, pair: tuple[str, str]
) -> Problem:
    """Say that a pattern counts for a node, though another is written below it."""
    first, late = pair
    message = (
        f"`{late}` ({asked[late]}) stands below `{first}` ({asked[first]}), which is more specific "
        f"and so counts for `{name}`"
    )
    hint = (
        f"for {asked[first]}, write `{first}` below `{late}`; for {asked[late]}, take `{first}` "
        f"out, or name the node: `{name}: {asked[late]}`"
    )
    return loaded.source.problem((SECTION, "precision", late), message, hint, key=True)


def _find_skipped_int8(loaded: LoadedRecipe, nodes: Nodes) -> Iterator[Problem]:
    """Yield what asks for INT8, is more specific than a pattern of `skip`, and yet in vain."""
    section = loaded.recipe.quantization
    if section is None:
        return
    meant = _find_meant((*section.skip, *section.precision), nodes)
    told = set()
    for name in nodes:
        skips = [each for each in section.skip if name in meant[each]]
        strongest = find_strongest(name, (each for each in meant if name in meant[each]), meant)
        first = next(iter(strongest), "")
        asked = section.precision.get(first)
        in_vain = asked in TYPES and not set(strongest) & set(skips)
        if skips and in_vain and first not in told:
            told.add(first)
            message = (
                f"`{name}` is skipped by `{skips[0]}`, so `{first}: {asked}` has no effect on it"
            )
            hint = (
                f"take `{first}` out; or, to except it, take `{skips[0]}` out of `skip` and write "
                f"`{skips[0]}: fp32` above it"
            )
            yield loaded.source.problem((SECTION, "precision", first), message, hint, key=True)


def _find_meant(patterns: Iterable[str], nodes: Nodes) -> dict[str, frozenset[str]]:
    return {pattern: frozenset(find_nodes(pattern, nodes)) for pattern in patterns}
