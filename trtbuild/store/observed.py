"""What a step's code was seen to rest on when it ran, by the digest of what it declares."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from trtbuild.core.digest import read_sealed_tree, seal, unseal, write_canonical_json
from trtbuild.core.files import remove_file, write_whole
from trtbuild.store.store import Store

__all__ = ["note_observed", "read_observed", "sweep_observed"]

MOST = 20
"""How many are kept of one step: as many states are recognized when they come back."""
MOST_BYTES = 32 << 20
FOLDER = "observed"


def read_observed(store: Store, declared: str) -> list[list[str]]:
    """Return the words for what each run of a step was seen to rest on, the latest first.

    Those that other machines have noted come last.
    """
    found = [words for _, words in _read(store, declared)]
    for note in store.bring_notes(declared):
        with contextlib.suppress(ValueError, RecursionError):
            found += [words for _, words in _items([json.loads(unseal(note) or "")])]
    return found


def note_observed(store: Store, declared: str, digest: str, words: Iterable[str]) -> None:
    """Write down what the run of a step rested on that made what `digest` names."""
    new = (digest, sorted(words))
    kept = [new, *(each for each in _read(store, declared) if each[1] != new[1])][:MOST]
    path = store.root / FOLDER / f"{declared.rpartition(':')[2]}.json"
    data = seal(write_canonical_json(kept))
    while len(data) > MOST_BYTES and len(kept) > 1:
        kept = kept[: len(kept) // 2]
        data = seal(write_canonical_json(kept))
    write_whole(path, data)
    store.send_note(declared, seal(write_canonical_json(new)))


def sweep_observed(store: Store) -> None:
    """Forget the runs whose results are gone."""
    for path in (store.root / FOLDER).glob("*.json"):
        declared = f"sha256:{path.stem}"
        if not any(store.action(digest) is not None for digest, _ in _read(store, declared)):
            remove_file(path)


def _read(store: Store, declared: str) -> list[tuple[str, list[str]]]:
    path = store.root / FOLDER / f"{declared.rpartition(':')[2]}.json"
    return list(_items(read_sealed_tree(path, MOST_BYTES)))


def _items(tree: Any) -> Iterator[tuple[str, list[str]]]:
    for item in tree if isinstance(tree, list) else ():
        if isinstance(item, list) and len(item) == 2:  # noqa: PLR2004
            digest, words = item
            if isinstance(words, list) and all(isinstance(text, str) for text in (digest, *words)):
                yield digest, words
