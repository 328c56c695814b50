"""Published weights: fetched once into the store, by their digest."""

from __future__ import annotations

import json
import time
from pathlib import Path

from trtbuild.core.action import Artifact
from trtbuild.core.errors import CorruptObject, MissingFile, TrtbuildError
from trtbuild.core.files import copy_whole, write_whole
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path, note_until
from trtbuild.sources.base import Source
from trtbuild.steps.base import Pinned
from trtbuild.store.store import Store

__all__ = ["copy_published", "find_published", "resolve_weights"]

RETRY_AFTER_SECONDS = 3600
"""After a failed fetch, a build with seeded weights is not held up by another try for an hour."""
TIMEOUT_SECONDS = 20
MOST_NOTED_BYTES = 64 << 10


def resolve_weights(model: Source, store: Store, *, base: Path) -> tuple[Pinned | None, str]:
    """Return the weights of a model, pinned, or None and why it is built without them.

    A URL is fetched unless the store has the file. Where that fails and the recipe says
    `without_weights: seeded`, the reason is returned; else the error is raised.
    """
    found, reason = find_published(model, store, base=base)
    if found is None or model.published is None or model.published.url is None:
        return found, reason
    if store.bring_object(found.digest):
        return found, ""
    try:
        _fetch(model, store, found)
    except TrtbuildError as error:
        if not model.may_be_seeded:
            raise
        reason = f"the weights are seeded: {error.message}"
        note = json.dumps({"reason": reason, "when": time.time()})
        write_whole(_memory(store, found.digest), note.encode())
        return None, reason
    return found, ""


def find_published(model: Source, store: Store, *, base: Path) -> tuple[Pinned | None, str]:
    """Return the weights that a build would take, without touching the network."""
    weights = model.published
    if weights is None:
        return None, ""
    if weights.path is not None:
        path = base / weights.path
        digest = store.digests.digest(path)
        if weights.sha256 is not None and digest != f"sha256:{weights.sha256}":
            raise CorruptObject(
                f"{path}: its sha256 is {digest.partition(':')[2]}, the recipe says "
                f"{weights.sha256}",
                hint="do not use it, or correct `sha256` in the recipe where the file is right",
            )
        return Pinned(path=str(path), digest=digest), ""
    digest = f"sha256:{weights.sha256}"
    path = store.object_path(digest)
    note_path(path)
    if not path.exists() and model.may_be_seeded:
        failed = _read_failure(store, digest)
        if failed:
            return None, failed
    return Pinned(path=str(path), digest=digest), ""


def copy_published(model: Source, store: Store, other: Store) -> None:
    """Give another store the published weights that one has, or the word that they cannot be had.

    They are a source, by their digest, and need not come over the network a second time.
    """
    if model.published is None or model.published.sha256 is None:
        return
    digest = f"sha256:{model.published.sha256}"
    pairs = [
        (store.object_path(digest), other.object_path(digest)),
        (_memory(store, digest), _memory(other, digest)),
    ]
    for here, there in pairs:
        if here.is_file():
            copy_whole(here, there)


def _fetch(model: Source, store: Store, pinned: Pinned) -> None:
    from trtbuild.sources.weights import fetch_weights

    assert model.published is not None  # noqa: S101  # the caller has looked
    with store.fetching(pinned.digest) as part:
        fetch_weights(model.published, part, timeout_seconds=TIMEOUT_SECONDS)
    size = Path(pinned.path).stat().st_size
    store.verify(Artifact(name="weights", digest=pinned.digest, size_bytes=size))


def _memory(store: Store, digest: str) -> Path:
    return store.root / "records" / "unreachable" / f"{digest.partition(':')[2]}.json"


def _read_failure(store: Store, digest: str) -> str:
    try:
        noted = json.loads(read_regular(_memory(store, digest), most_bytes=MOST_NOTED_BYTES))
        when = float(noted["when"])
        until = when + RETRY_AFTER_SECONDS
        fresh = when <= time.time() < until  # of a clock that went wrong, nothing is believed
        if fresh:
            note_until(until)
        return str(noted["reason"]) if fresh else ""
    except (MissingFile, ValueError, KeyError, TypeError, RecursionError):
        return ""
