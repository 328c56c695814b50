"""Sequences of tokens: how many edits one is from another; greedy CTC."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["collapse", "count_edits", "split_words"]


def count_edits(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return the least number of insertions, deletions and substitutions between two sequences.

    Levenshtein's distance, a row of its table at a time. Within a row, an insertion costs what
    stands before it and one more: a running minimum of what is left after taking the place off.
    """
    import numpy as np

    numbers: dict[Hashable, int] = {}
    mine, theirs = (
        np.array([numbers.setdefault(each, len(numbers)) for each in side], np.int64)
        for side in (one, other)
    )
    places = np.arange(len(theirs) + 1)
    row = places.copy()
    for each in mine:
        moved = np.minimum(row[1:] + 1, row[:-1] + (theirs != each))
        started = np.concatenate([row[:1] + 1, moved])
        row = np.minimum.accumulate(started - places) + places
    return int(row[-1])


def collapse(frames: np.ndarray, blank: int) -> np.ndarray:
    """Return what frames of a CTC model say: repeats count once, blanks not at all."""
    import numpy as np

    first = np.ones(len(frames), bool)
    first[1:] = frames[1:] != frames[:-1]
    return np.asarray(frames[first & (frames != blank)])


def split_words(tokens: Sequence[int], separator: int) -> list[tuple[int, ...]]:
    """Return the words of a sequence: what stands between separators."""
    words: list[list[int]] = [[]]
    for token in tokens:
        if token == separator:
            words.append([])
        else:
            words[-1].append(int(token))
    return [tuple(word) for word in words if word]
