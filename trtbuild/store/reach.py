"""What runs and locks stand on: followed from steps to what they made and were made from."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from trtbuild.core.action import Action
from trtbuild.store.store import Store

__all__ = ["Actions", "Reach", "RecordReader", "iterate_actions"]


@dataclass
class Reach:
    """Steps, and objects, that something stands on."""

    actions: set[str]
    objects: set[str]

    def holds(self, action: Action | None) -> bool:
        """Tell whether a recorded step is one that something stands on."""
        return action is not None and (
            action.digest in self.actions
            # By its contents a step may be found under the digest of another time.
            or {artifact.digest for artifact in action.artifacts} <= self.objects
        )


@dataclass(frozen=True)
class _Links:
    """Where a step leads."""

    made: frozenset[str]
    steps: tuple[str, ...]
    files: frozenset[str]
    """Inputs that no step made: fetched weights lie in the store too."""


class Actions(Protocol):
    """Who knows of steps."""

    def action(self, digest: str) -> Action | None:
        """Return the action of a step, if one is recorded."""

    def iterate_actions(self) -> Iterator[Action]:
        """Yield every step that is recorded."""


class RecordReader:
    """Reads each record once, however many recipes lead to it."""

    def __init__(self, store: Actions) -> None:
        self._store = store
        self._known: dict[str, _Links | None] = {}

    def follow(self, steps: Iterable[str], objects: Iterable[str] = ()) -> Reach:
        """Follow steps, and objects by way of the steps that made them."""
        pinned = set(objects)
        waiting = [*steps, *(self._makers(pinned) if pinned else ())]
        reach = Reach(set(), pinned)
        while waiting:
            digest = waiting.pop()
            links = None if digest in reach.actions else self._read(digest)
            if links is not None:
                reach.actions.add(digest)
                reach.objects |= links.made | links.files
                waiting.extend(links.steps)
        return reach

    def _makers(self, objects: set[str]) -> Iterator[str]:
        for action in self._store.iterate_actions():
            if not objects.isdisjoint(artifact.digest for artifact in action.artifacts):
                yield action.digest

    def _read(self, digest: str) -> _Links | None:
        if digest not in self._known:
            action = self._store.action(digest)
            self._known[digest] = None if action is None else _find_links(action)
        return self._known[digest]


def _find_links(action: Action) -> _Links:
    inputs = [made_from.partition("/") for made_from in _inputs(action)]
    return _Links(
        made=frozenset(artifact.digest for artifact in action.artifacts),
        steps=tuple(dict.fromkeys(step for step, slash, _ in inputs if slash)),
        files=frozenset(file for file, slash, _ in inputs if not slash),
    )


def _inputs(action: Action) -> Iterator[str]:
    """Yield what a step was made from."""
    with contextlib.suppress(ValueError, RecursionError):
        tree = json.loads(action.ingredients)
        inputs = tree.get("inputs") if isinstance(tree, dict) else None
        yield from map(str, inputs.values()) if isinstance(inputs, dict) else ()


def iterate_actions(store: Store) -> Iterator[Action]:
    """Yield every step that is recorded here."""
    return store.iterate_actions()
