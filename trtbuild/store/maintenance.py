"""What the store holds, whether it is whole, and what may go."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.action import Action
from trtbuild.core.digest import PREFIX, digest_of_file, read_sealed_tree, seal
from trtbuild.core.errors import MissingFile, StoreInUse
from trtbuild.core.files import remove_file, write_whole
from trtbuild.core.locks import NoLocks, try_lock
from trtbuild.core.regular_files import read_regular
from trtbuild.store.observed import sweep_observed
from trtbuild.store.reach import RecordReader, iterate_actions
from trtbuild.store.store import Store

__all__ = [
    "StoreCollection",
    "StoreUsage",
    "StoreVerification",
    "StoredStep",
    "collect_garbage",
    "list_entries",
    "list_named_by_locks",
    "measure_usage",
    "note_lock",
    "verify_store",
]


RECORDS = ("actions", "contents", "records", "logs", "benches", "digests.json", "locks.json")
STAMPS = "stamps"
MOST_LOCKS_BYTES = 8 << 20


@dataclass(frozen=True)
class StoredStep:
    """A step whose outputs the store holds."""

    step: str
    digest: str
    size_bytes: int
    complete: bool
    """All of its outputs are here."""
    recipes: tuple[str, ...]
    """The recipes whose last run it was part of."""


@dataclass(frozen=True)
class StoreUsage:
    """How much the store holds, in bytes."""

    root: Path
    objects: int
    """What steps made."""
    by_recipe: dict[str, int]
    """What the last run of each recipe made or reused; what several share counts for each."""
    unused: int
    """What no last run reaches."""
    work: int
    """Steps that are running, and logs of failed ones."""
    records: int
    """What is written down of steps, runs and files."""
    stamps: int
    """What commands said that had nothing to do."""
    total: int
    """All of it."""


@dataclass(frozen=True)
class StoreVerification:
    """What reading the whole store found."""

    objects: int
    size_bytes: int
    damaged: tuple[str, ...]
    """Digests of the objects that were not what they should be; they have been removed."""
    unreadable: tuple[str, ...]
    """Records that were damaged, or another's than their name says; they have been removed."""


@dataclass(frozen=True)
class StoreCollection:
    """What went, or would go."""

    steps: int
    objects: int
    size_bytes: int
    kept_bytes: int
    stamps: int = 0
    """Kept answers, which all go."""
    stamps_bytes: int = 0


def list_entries(store: Store) -> tuple[StoredStep, ...]:
    """Return every recorded step, by recipe and step."""
    users: dict[str, list[str]] = {}
    for recipe in store.recipes():
        for digest in store.history(recipe).values():
            users.setdefault(digest, []).append(recipe)
    found = [
        StoredStep(
            step=action.step,
            digest=action.digest,
            size_bytes=sum(artifact.size_bytes for artifact in action.artifacts),
            complete=store.complete(action),
            recipes=tuple(users.get(action.digest, ())),
        )
        for action in iterate_actions(store)
    ]
    return tuple(sorted(found, key=lambda each: (each.recipes, each.step, each.digest)))


def measure_usage(store: Store) -> StoreUsage:
    """Add up what the store holds."""
    sizes = {digest: path.stat().st_size for digest, path in _objects(store)}
    reader, used = RecordReader(store), set[str]()
    by_recipe = {}
    for recipe in store.recipes():
        objects = reader.follow(store.history(recipe).values()).objects
        by_recipe[recipe] = sum(sizes.get(digest, 0) for digest in objects)
        used |= objects
    made = sum(sizes.values())
    work, stamps = _measure(store.root / "work"), _measure(store.root / STAMPS)
    records = sum(_measure(store.root / name) for name in RECORDS)
    return StoreUsage(
        root=store.root,
        objects=made,
        by_recipe=by_recipe,
        unused=sum(size for digest, size in sizes.items() if digest not in used),
        work=work,
        records=records,
        stamps=stamps,
        total=made + work + records + stamps,
    )


def _measure(place: Path) -> int:
    files = place.rglob("*") if place.is_dir() else (place,)
    return sum(path.stat().st_size for path in files if path.is_file())


def verify_store(store: Store) -> StoreVerification:
    """Read every object and every record; remove those that are not what they should be."""
    size, damaged, unreadable, count = 0, [], [], 0
    for digest, path in list(_objects(store)):
        count += 1
        size += path.stat().st_size
        if digest_of_file(path) != digest:
            remove_file(path)
            damaged.append(digest)
    told = [path for path, action in _list_recorded(store) if action is None]
    told += [
        store.root / "records" / f"{name}.json" for name in store.recipes() if not store.runs(name)
    ]
    for path in told:
        path.unlink()
        unreadable.append(f"{path.parent.name}/{path.name}")
    return StoreVerification(count, size, tuple(damaged), tuple(unreadable))


def note_lock(store: Store, lock: Path) -> None:
    """Remember where a lock lies, so that what it names is kept."""
    known = _locks(store)
    if str(lock.absolute()) not in known:
        text = json.dumps(sorted({*known, str(lock.absolute())}))
        write_whole(store.root / "locks.json", seal(text))


def _locks(store: Store) -> list[str]:
    found = read_sealed_tree(store.root / "locks.json", MOST_LOCKS_BYTES)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def list_named_by_locks(store: Store) -> Iterator[str]:
    """Yield every digest in the locks that still lie where they were written."""
    for lock in _locks(store):
        with contextlib.suppress(MissingFile):
            text = read_regular(Path(lock)).decode(errors="replace")
            yield from re.findall(r"sha256:[0-9a-f]{64}", text)


def collect_garbage(store: Store, *, runs: int, pretend: bool = False) -> StoreCollection:
    """Remove what neither the last runs of a recipe nor a lock written with this store stands on.

    Of what a lock names, the steps that made it are kept, with all that these were made from.
    With `pretend`, nothing is removed.

    Raises:
        StoreInUse: something is being built.
    """
    with keep_builds_out(store):
        wanted = [
            digest
            for recipe in store.recipes()
            for run in store.runs(recipe)[:runs]
            for digest in run.values()
        ]
        keep = RecordReader(store).follow(wanted, list_named_by_locks(store))
        records = [path for path, action in _list_recorded(store) if not keep.holds(action)]
        objects = {d: p for d, p in _objects(store) if d not in keep.objects}
        kept = sum(path.stat().st_size for d, path in _objects(store) if d in keep.objects)
        freed = sum(path.stat().st_size for path in objects.values())
        stamps = [path.stat().st_size for path in (store.root / STAMPS).glob("*")]
        if not pretend:
            # Records first: should this be interrupted, none is left that promises what is gone.
            for path in (*records, *objects.values()):
                remove_file(path)
            _sweep(store)
            sweep_observed(store)
    steps = sum(path.parent.name == "actions" for path in records)
    return StoreCollection(steps, len(objects), freed, kept, len(stamps), sum(stamps))


@contextlib.contextmanager
def keep_builds_out(store: Store) -> Iterator[None]:
    """Keep builds out while the store is swept."""
    try:
        lock = try_lock(store.root / "in-use")
    except NoLocks as error:
        raise StoreInUse(
            f"whether something is being built with the store {store.root} cannot be known: its "
            f"file system has no locks ({error.strerror})",
            hint="where nothing is, remove the store: that costs time, and nothing else",
        ) from None
    if lock is None:
        raise StoreInUse(
            f"something is being built with the store {store.root}",
            hint="try again when it is done",
        )
    try:
        yield
    finally:
        os.close(lock)


def _list_recorded(store: Store) -> Iterator[tuple[Path, Action | None]]:
    for folder, read in (("actions", store.action), ("contents", store.same_contents)):
        for path in sorted((store.root / folder).glob("*.json")):
            yield path, read(PREFIX + path.stem)


def _objects(store: Store) -> Iterator[tuple[str, Path]]:
    """Yield every object with the digest that it should have; what is half written is none."""
    for path in sorted((store.root / "objects").glob("*/*")):
        if not path.name.startswith("."):
            yield f"{PREFIX}{path.parent.name}{path.name}", path


def _sweep(store: Store) -> None:
    """Remove what killed processes have left, and logs of steps that failed or are gone."""
    used = {action.log.removeprefix(PREFIX) for _, action in _list_recorded(store) if action}
    for log in (store.root / "logs").glob("*"):
        if log.stem not in used:
            log.unlink(missing_ok=True)
    for left in (store.root / "work").iterdir():
        shutil.rmtree(left, ignore_errors=True)
    for folder in ("objects", "actions", "contents", "records"):
        for part in (store.root / folder).rglob(".*.part"):
            part.unlink(missing_ok=True)
    for stamp in (store.root / STAMPS).glob("*"):
        stamp.unlink(missing_ok=True)
    store.digests.forget_gone()
    for lock in (store.root / "locks").iterdir():
        lock.unlink(missing_ok=True)
    for shelf in (store.root / "objects").iterdir():
        with contextlib.suppress(OSError):
            shelf.rmdir()
