"""Which names a pattern means, and which of several patterns counts for a name.

The one rule for whatever a recipe says of tensors and nodes by name. It looks at what patterns
mean in the model at hand, never at the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

__all__ = [
    "assign_patterns",
    "find_matches",
    "find_nodes",
    "find_strongest",
    "means_node",
]

OPERATOR = "op:"
EVERYTHING = "*"


def find_matches(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names that a pattern means (`*`, `?`, `[...]`); a name means itself alone."""
    everything = list(names)
    if pattern in everything:
        return [pattern]
    return [name for name in everything if fnmatchcase(name, pattern)]


def means_node(pattern: str, name: str, op: str, nodes: Iterable[str] = ()) -> bool:
    """Tell whether a pattern means a node: by its name, or by its operator after `op:`.

    A pattern that is the name of one of `nodes` means that node alone.
    """
    if pattern == name or pattern in nodes:
        return pattern == name
    if pattern.startswith(OPERATOR):
        return fnmatchcase(op, pattern.removeprefix(OPERATOR))
    return fnmatchcase(name, pattern)


def find_nodes(pattern: str, nodes: Mapping[str, str]) -> list[str]:
    """Return the names of the nodes (name → operator) that a pattern means."""
    return [name for name, op in nodes.items() if means_node(pattern, name, op, nodes)]


def find_strongest(
    name: str, patterns: Iterable[str], meant: Mapping[str, frozenset[str]]
) -> list[str]:
    """Return those of the patterns that mean a name than which none is more specific.

    The name itself is more specific than any pattern, a pattern over names than an operator, and
    whatever there is than `*`. Of two patterns of one sort the one is more specific that means a
    part of what the other means (`meant`) and nothing else: `*/layer4/*` against `*/layer*`.
    """
    rivals = list(patterns)
    if name in rivals:
        return [name]
    return [
        each for each in rivals if not any(_is_narrower(other, each, meant) for other in rivals)
    ]


def _is_narrower(one: str, other: str, meant: Mapping[str, frozenset[str]]) -> bool:
    first, second = _rank(one), _rank(other)
    return first < second or (first == second and meant[one] < meant[other])


def _rank(pattern: str) -> int:
    """Return how much a pattern says: where nodes are (0), of what sort (1), nothing (2)."""
    return 2 if pattern == EVERYTHING else int(pattern.startswith(OPERATOR))


def assign_patterns(
    patterns: Iterable[str], names: Iterable[str]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Say for each name which pattern counts: the most specific of those that mean it.

    Returns the pattern of each name that has one; and of each name for which the choice is open,
    the patterns than which none is more specific. Both are sorted by name.
    """
    everything = sorted(set(names))
    meant = {pattern: frozenset(find_matches(pattern, everything)) for pattern in patterns}
    rivals: dict[str, list[str]] = {}
    for pattern, found in meant.items():
        for name in found:
            rivals.setdefault(name, []).append(pattern)
    chosen, disputed = {}, {}
    for name, all_of_them in sorted(rivals.items()):
        strongest = find_strongest(name, all_of_them, meant)
        if len(strongest) == 1:
            chosen[name] = strongest[0]
        else:
            disputed[name] = tuple(strongest)
    return chosen, disputed
