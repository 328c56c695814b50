"""The names that were probably meant."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["suggest_nearest", "suggest_nearest_to_any"]

SHOWN = 3
LOOKED_UP = 50
"""Of a long list, the first so many are enough to see what is wrong with it."""


def suggest_nearest(name: str, names: Sequence[str]) -> str:
    """Return a hint with the nearest names, or the first few where none is near."""
    from difflib import get_close_matches

    plain = name.replace("*", "")
    near = get_close_matches(name, names, n=SHOWN, cutoff=0.5)
    near = near or [other for other in names if plain and plain.strip("/") in other][:SHOWN]
    if near:
        return "nearest: " + ", ".join(f"`{each}`" for each in near)
    more = ", ..." if len(names) > SHOWN else ""
    return "there are: " + ", ".join(f"`{each}`" for each in names[:SHOWN]) + more


def suggest_nearest_to_any(wanted: Sequence[str], names: Sequence[str]) -> str:
    """Return a hint for the first of several names that another is near to."""
    from difflib import get_close_matches

    for name in wanted[:LOOKED_UP]:
        near = get_close_matches(name, names, n=1, cutoff=0.6)
        if near:
            return f"nearest to `{name}`: `{near[0]}`"
    return suggest_nearest("", names)
