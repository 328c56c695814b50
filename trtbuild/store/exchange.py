"""What goes to a remote store, comes from it, and may go in it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from trtbuild.core.action import Action
from trtbuild.core.digest import PREFIX, digest_of_bytes, seal, unseal, write_canonical_json
from trtbuild.core.errors import CorruptObject, UsageError
from trtbuild.store.maintenance import list_named_by_locks
from trtbuild.store.reach import RecordReader, iterate_actions
from trtbuild.store.record_files import MOST_ACTION_BYTES, parse_action, take_digits
from trtbuild.store.remote import Remote, name_object, name_record
from trtbuild.store.shared import SharedStore
from trtbuild.store.storage import StorageEntry
from trtbuild.store.store import Store

__all__ = ["Exchange", "RemoteCollection", "collect_remote_garbage", "pull_runs", "push_runs"]

MOST_RUN_BYTES = 8 << 20
PROBE = "probe"
DAY_SECONDS = 86400.0


@dataclass(frozen=True)
class Exchange:
    """What was sent, or brought."""

    recipes: tuple[str, ...]
    steps: int
    objects: int
    size_bytes: int
    """Of what was not on the other side already."""
    missing: tuple[str, ...] = ()
    """Steps that could not be brought whole: they run again."""


@dataclass(frozen=True)
class RemoteCollection:
    """What went, or would go, of a remote store."""

    steps: int
    objects: int
    size_bytes: int
    kept_bytes: int
    young_bytes: int
    """What nothing stands on, and may be of a build that is not done: it is left for now."""


def push_runs(
    store: Store, remote: Remote, recipes: Collection[str], tell: Callable[[str], None]
) -> Exchange:
    """Send what the last runs of recipes (all, where none are named) stand on.

    Raises:
        Unreachable: the remote store failed; what is there is sound.
        UsageError: a recipe has no run here, or the remote store is only read from.
    """
    if not remote.writes:
        raise UsageError("the remote store is only read from", hint="settings: `write: true`")
    known = store.recipes()
    chosen = _choose(recipes, known, "here")
    reached = RecordReader(store).follow(
        digest for name in chosen for digest in store.history(name).values()
    )
    actions = [each for each in iterate_actions(store) if each.digest in reached.actions]
    there = {entry.key: entry.size_bytes for entry in remote.list("objects")}
    steps = objects = size = 0
    for action in actions:
        if not store.complete(action):
            continue
        tell(action.step)
        for artifact in action.artifacts:
            key = name_object(artifact.digest)
            if there.get(key) != artifact.size_bytes:
                remote.send(artifact.digest, store.object_path(artifact.digest))
                there[key] = artifact.size_bytes
                objects, size = objects + 1, size + artifact.size_bytes
        steps += 1
    for file in reached.objects:  # fetched weights, which no step made
        with contextlib.suppress(CorruptObject):  # of a record that was made to do harm
            path = store.object_path(file)
            if name_object(file) not in there and path.is_file():
                remote.send(file, path)
                objects, size = objects + 1, size + path.stat().st_size
    _push_records(store, remote, reached.actions)
    for name in chosen:
        _push_run(store, remote, name)
    return Exchange(tuple(chosen), steps, objects, size)


def _push_records(store: Store, remote: Remote, actions: Collection[str]) -> None:
    wanted = {take_digits(each) for each in actions}
    for path in sorted((store.root / "contents").glob("*.json")):
        found = store.same_contents(PREFIX + path.stem)
        if found is not None and take_digits(found.digest) in wanted:
            remote.write(f"contents/{path.name}", path.read_bytes())
    for path in sorted((store.root / "observed").glob("*.json")):
        for note in json.loads(unseal(path.read_bytes()) or "[]"):
            sealed = seal(write_canonical_json(note))
            name = take_digits(digest_of_bytes(sealed))[:16]
            remote.write(f"observed/{path.stem}/{name}.json", sealed)
    for name in sorted(wanted):
        path = store.root / "actions" / f"{name}.json"
        remote.write(f"actions/{path.name}", path.read_bytes())


def _push_run(store: Store, remote: Remote, recipe: str) -> None:
    text = write_canonical_json({"recipe": recipe, "steps": store.history(recipe)})
    name = take_digits(digest_of_bytes(text.encode()))[:16]
    remote.write(f"runs/{recipe}/{name}.json", seal(text))


def pull_runs(
    store: SharedStore, recipes: Collection[str], tell: Callable[[str], None]
) -> Exchange:
    """Bring what the last runs of recipes (all, where none are named) stand on.

    Raises:
        Unreachable: the remote store failed.
        UsageError: it has no run of a recipe.
    """
    remote = store.remote
    latest = {name: runs[0] for name, runs in _list_runs(remote).items()}
    chosen = _choose(recipes, latest, "in the remote store")
    missing, steps, size, before = [], 0, 0, store.brought
    for name in chosen:
        run = _read_run(remote, latest[name].key)
        reached = RecordReader(store).follow(run.values())
        for digest in sorted(reached.actions):
            action = store.action(digest)
            if action is None:
                continue
            tell(action.step)
            lacking = [each for each in action.artifacts if not store.has(each)]
            if store.bring(action):
                steps, size = steps + 1, size + sum(each.size_bytes for each in lacking)
            else:
                missing.append(action.step)
        Store(store.root).remember(name, run)
    return Exchange(tuple(chosen), steps, store.brought - before, size, tuple(missing))


def _choose(asked: Collection[str], known: Iterable[str], where: str) -> list[str]:
    there = sorted(known)
    for name in asked:
        if name not in there:
            raise UsageError(
                f"there is no run of a recipe `{name}` {where}",
                hint=f"there are: {', '.join(there) or 'none'}",
            )
    return sorted(asked) if asked else there


def _list_runs(remote: Remote) -> dict[str, list[StorageEntry]]:
    """Return the runs of each recipe that are there, the newest first."""
    found: dict[str, list[StorageEntry]] = {}
    for entry in remote.list("runs"):
        _, _, rest = entry.key.partition("/")
        recipe, _, _ = rest.rpartition("/")
        found.setdefault(recipe, []).append(entry)
    return {
        name: sorted(runs, key=lambda run: (-(run.modified or 0.0), run.key))
        for name, runs in found.items()
    }


def _read_run(remote: Remote, key: str) -> dict[str, str]:
    """Return the steps of a run, by name; none where it is no sound record of one."""
    data = remote.ask(lambda: remote.storage.read(key, MOST_RUN_BYTES))
    try:
        tree: Any = json.loads(unseal(data or b"") or "{}")
    except (ValueError, RecursionError):
        return {}
    steps = tree.get("steps") if isinstance(tree, dict) else None
    found = steps.items() if isinstance(steps, dict) else ()
    return {str(name): digest for name, digest in found if isinstance(digest, str)}


class _RemoteActions:
    """The actions in a remote store, as a `RecordReader` asks for them; none is kept here."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def action(self, digest: str) -> Action | None:
        try:
            key = name_record("actions", digest)
        except CorruptObject:
            return None
        read = self._remote.storage.read
        data = self._remote.ask(lambda: read(key, MOST_ACTION_BYTES))
        return None if data is None else parse_action(data, digest)

    def iterate_actions(self) -> Iterator[Action]:
        for entry in self._remote.list("actions"):
            action = self.action(PREFIX + _stem(entry.key))
            if action is not None:
                yield action


def collect_remote_garbage(
    remote: Remote, local: Store, *, runs: int, days: float, pretend: bool = False
) -> RemoteCollection:
    """Remove what neither the last runs of recipes nor a lock that is known here stands on.

    What is younger than so many `days`, by the storage's own clock, is left: a build may be at it.

    Raises:
        Unreachable: the remote store failed; what is left is sound.
    """
    there = _RemoteActions(remote)
    kept_runs = [run.key for each in _list_runs(remote).values() for run in each[:runs]]
    steps = [digest for key in kept_runs for digest in _read_run(remote, key).values()]
    keep = RecordReader(there).follow(steps, list_named_by_locks(local))
    old = _find_end_of_youth(remote, days)
    records = [
        entry
        for folder in ("actions", "contents", "observed", "logs")
        for entry in remote.list(folder)
        if _is_old(entry, old) and not _is_kept(entry, folder, keep.actions)
    ]
    objects = [entry for entry in remote.list("objects") if _digest(entry) not in keep.objects]
    gone = [entry for entry in objects if _is_old(entry, old)]
    kept = sum(e.size_bytes for e in remote.list("objects") if _digest(e) in keep.objects)
    if not pretend:
        past = [e for each in _list_runs(remote).values() for e in each[runs:] if _is_old(e, old)]
        # Records first: should this be interrupted, none is left that promises what is gone.
        for entry in (*past, *records, *gone):
            remote.ask(lambda key=entry.key: remote.storage.remove(key))  # type: ignore[misc]
    freed, young = _add(gone), _add(objects) - _add(gone)
    steps_gone = sum(entry.key.startswith("actions/") for entry in records)
    return RemoteCollection(steps_gone, len(gone), freed, kept, young)


def _find_end_of_youth(remote: Remote, days: float) -> float:
    """Return the time, by the storage's own clock, before which things are old."""
    key = f"{PROBE}/{os.urandom(6).hex()}"
    remote.write(key, b"what time is it?\n")
    try:
        found = next((each for each in remote.list(PROBE) if each.key == key), None)
    finally:
        remote.ask(lambda: remote.storage.remove(key))
    if found is None or found.modified is None:
        raise UsageError(
            f"the remote store {remote.storage.name} does not tell when things were written",
            hint="let its own rules for old objects (a lifecycle) remove them",
        )
    return found.modified - days * DAY_SECONDS


def _is_old(entry: StorageEntry, end_of_youth: float) -> bool:
    return entry.modified is not None and entry.modified <= end_of_youth


def _is_kept(entry: StorageEntry, folder: str, actions: Collection[str]) -> bool:
    """Tell whether a record is one of a kept step; what says by itself of which goes by age."""
    return folder in {"actions", "logs"} and PREFIX + _stem(entry.key) in actions


def _stem(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]


def _digest(entry: StorageEntry) -> str:
    return PREFIX + "".join(entry.key.split("/")[1:])


def _add(entries: Iterable[StorageEntry]) -> int:
    return sum(entry.size_bytes for entry in entries)
