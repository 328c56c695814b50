"""What does not hold of a lock, and the error that says so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from trtbuild.core.errors import LockMismatch
from trtbuild.core.words import abbreviate
from trtbuild.plan.lock import LockedTarget, find_lock

__all__ = ["list_broken", "refuse_mismatch"]

MOST_REASONS = 12
COMPARED = ("backend", "built_for", "level", "asked_int8", "delivered_int8", "options", "versions")


def list_broken(then: LockedTarget, now: LockedTarget) -> list[str]:
    """Say what an engine is not that was guaranteed of it."""
    found = [
        f"{field}: {getattr(then, field)} → {getattr(now, field)}"
        for field in COMPARED
        # Locks of earlier versions say nothing of levels.
        if getattr(then, field) not in (None, getattr(now, field))
    ]
    if then.tactics and then.tactics != now.tactics:
        found.append(
            f"tactics: {abbreviate(then.tactics)} → {abbreviate(now.tactics) or 'not read'}"
        )
    if then.engine_digest and then.engine_digest != now.engine_digest:
        found.append(
            f"engine: {abbreviate(then.engine_digest)} → {abbreviate(now.engine_digest) or 'other'}"
        )
    return found


def refuse_mismatch(recipe: Path, reasons: Iterable[str]) -> None:
    """Raise what differs from the lock, if anything does."""
    found = list(reasons)
    if not found:
        return
    more = [f"  and {len(found) - MOST_REASONS} more"] if len(found) > MOST_REASONS else []
    raise LockMismatch(
        f"{find_lock(recipe)} does not hold:",
        lines=[*(f"  {each}" for each in found[:MOST_REASONS]), *more],
        hint=f"if this is meant: trtbuild apply {recipe} && trtbuild lock {recipe}",
    )
