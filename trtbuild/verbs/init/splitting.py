"""Two parts of a folder of pictures that share none, as patterns a recipe can name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

__all__ = ["divide_by_name"]

Divided = tuple[tuple[str, int], tuple[str, int]]
_FEWEST = 2
_DEEPEST = 4
"""How many letters from the end are tried."""


def divide_by_name(names: Sequence[str]) -> Divided | None:
    """Return two patterns that share no name and leave none out, each with how many it means.

    They differ in one letter near the end of the names: `*[02468].jpg` and `*[!02468].jpg`. Each
    has pictures from every folder. None where no letter divides them so.
    """
    paths = [PurePosixPath(name) for name in names]
    suffixes = {path.suffix for path in paths}
    depths = {len(path.parts) for path in paths}
    if len(names) < _FEWEST:
        return None
    folders = "*/" * (max(depths) - 1) if len(depths) == 1 else "**/"
    if len(suffixes) == 1:
        ending = suffixes.pop()
    elif any("." in path.stem for path in paths):
        return None  # `*1.*` would then mean more than names that end in 1
    else:
        ending = ".*"
    best: tuple[int, Divided] | None = None
    for place in range(1, _DEEPEST + 1):
        if any(len(path.stem) < place for path in paths):
            break
        for letters in _list_halves([path.stem[-place] for path in paths]):
            mine = [path for path in paths if path.stem[-place] in letters]
            rest = len(paths) - len(mine)
            if not min(len(mine), rest) or not _are_everywhere(paths, mine):
                continue
            after = "?" * (place - 1) + ending
            one, other = f"{folders}*[{letters}]{after}", f"{folders}*[!{letters}]{after}"
            uneven = abs(len(mine) - rest)
            if best is None or uneven < best[0]:
                best = uneven, ((one, len(mine)), (other, rest))
        if best is not None and best[0] * 4 <= len(names):
            break
    return None if best is None else best[1]


def _list_halves(letters: Sequence[str]) -> Iterator[str]:
    """Yield letters that about half of the names have: every second one, then the commonest."""
    counts = Counter(letters)
    plain = sorted(letter for letter in counts if letter.isalnum() and letter.isascii())
    if len(counts) < _FEWEST or not plain:
        return
    yield "".join(plain[::2])
    half, chosen = len(letters) / 2, ""
    reached = 0
    for letter in sorted(plain, key=lambda each: -counts[each]):
        if reached + counts[letter] <= half or not chosen:
            chosen += letter
            reached += counts[letter]
    yield "".join(sorted(chosen))


def _are_everywhere(paths: Sequence[PurePosixPath], mine: Sequence[PurePosixPath]) -> bool:
    """Tell whether every folder has some of them, and some of the rest."""
    every = Counter(path.parent for path in paths)
    own = Counter(path.parent for path in mine)
    return all(0 < own[folder] < count for folder, count in every.items())
