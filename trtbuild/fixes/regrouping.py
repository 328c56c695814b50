"""Which axes become which in a Reshape, and which of its sizes move with them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["find_moved", "match_groups"]


def match_groups(
    old: Sequence[int], target: Sequence[int]
) -> list[tuple[list[int], list[int]]] | None:
    """Return which axes become which in a Reshape: the smallest groups of equal products."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(old) and j < len(target):
        ours, theirs = [i], [j]
        left, right = old[i], target[j]
        i, j = i + 1, j + 1
        while left != right:
            if left < right and i < len(old):
                left, ours, i = left * old[i], [*ours, i], i + 1
            elif right < left and j < len(target):
                right, theirs, j = right * target[j], [*theirs, j], j + 1
            else:
                return None
        groups.append((ours, theirs))
    ours, theirs = list(range(i, len(old))), list(range(j, len(target)))
    if any(old[axis] != 1 for axis in ours) or any(target[axis] != 1 for axis in theirs):
        return None
    if groups:  # axes of size 1 at the end go with the last ones
        groups[-1] = (groups[-1][0] + ours, groups[-1][1] + theirs)
    return groups


def find_moved(
    groups: Sequence[tuple[list[int], list[int]]],
    old: Sequence[int],
    new: Sequence[int],
    target: Sequence[int],
) -> dict[int, list[int]] | None:
    """Return the entries of a target that move, and the axes that they are made of.

    None where nobody can tell which of several entries it is.
    """
    moved: dict[int, list[int]] = {}
    for ours, theirs in groups:
        changed = [axis for axis in ours if old[axis] != new[axis]]
        if not changed:
            continue
        entries = theirs if len(theirs) == 1 else [e for e in theirs if target[e] != 1]
        if len(entries) > 1 and len(ours) == 1:
            return None
        if len(entries) > 1:
            same = [e for e in entries if len(changed) == 1 and target[e] == old[changed[0]]]
            if len(same) != 1:
                return None
            moved[same[0]] = changed
        else:
            moved[entries[0] if entries else theirs[0]] = ours
    return moved
