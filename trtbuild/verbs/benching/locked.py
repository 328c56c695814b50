"""What a lock keeps of speed, and what a bench is held to of it."""

from __future__ import annotations

from collections.abc import Mapping

from trtbuild.core.durations import format_shapes
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.timing import BenchResult, SpeedRow
from trtbuild.plan.lock import Lock, LockedSpeed, find_lock, read_lock
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.store.benches import list_benches
from trtbuild.store.store import Store
from trtbuild.timing.judge import Recall

__all__ = ["find_locked_speed", "make_recall"]


def find_locked_speed(lock: Lock, name: str, store: Store) -> Mapping[str, LockedSpeed]:
    """Return the p50 of each row of the last bench that was of the models in a lock."""
    for found in reversed(list_benches(store, name)):
        digests = {each.model: each.model_digest for each in found.variants}
        known = {model: digests[model] for model in digests.keys() & lock.models.keys()}
        if known and all(lock.models[model] == digest for model, digest in known.items()):
            return {_name(row): _lock_row(row, found) for row in found.rows}
    return {}


def _name(row: SpeedRow) -> str:
    return f"{row.variant} at {format_shapes(row.shapes)}"


def _lock_row(row: SpeedRow, found: BenchResult) -> LockedSpeed:
    p50 = row.host.p50
    return LockedSpeed(
        p50_ms=p50.ms,
        low_ms=p50.ms if p50.low is None else p50.low,
        high_ms=p50.ms if p50.high is None else p50.high,
        protocol=found.protocol_digest,
        machine=found.machine.digest(gpu=_is_on_gpu(row, found)),
    )


def _is_on_gpu(row: SpeedRow, found: BenchResult) -> bool:
    return any(each.name == row.variant and each.on == "gpu" for each in found.variants)


def make_recall(loaded: LoadedRecipe, found: BenchResult) -> Recall:
    """Return what says where a row's p50 lay when it was locked."""
    lock, why = None, "there is no lock yet: `trtbuild lock` writes it"
    if find_lock(loaded.file).is_file():
        try:
            lock = read_lock(find_lock(loaded.file))
        except (MissingFile, UsageError) as error:
            why = f"the lock cannot be read: {error.message}"

    def recall(row: SpeedRow) -> tuple[tuple[float, float] | None, str]:
        if lock is None:
            return None, why
        before = lock.speed.get(_name(row))
        if before is None:
            return None, "the lock has no such time yet: `trtbuild lock` after `trtbuild bench`"
        if before.protocol != found.protocol_digest:
            return None, "the lock's time is under another protocol"
        if before.machine != found.machine.digest(gpu=_is_on_gpu(row, found)):
            return None, "the lock's time is of another machine"
        return (before.low_ms, before.high_ms), ""

    return recall
