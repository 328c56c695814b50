"""What the builders of engines said, in a run or in the one that they are reused from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.log_levels import LogLevel
from trtbuild.core.overview import Overview
from trtbuild.store.store import Store

__all__ = ["KeptLog", "list_kept_logs"]


@dataclass(frozen=True)
class KeptLog:
    """The log of a step that ended well."""

    step: str
    path: Path
    level: LogLevel
    """How much the builder was let say."""
    reused: bool
    """The step ran before: a level that is asked for now had no effect on it."""


def list_kept_logs(run: Overview, store: Store) -> tuple[KeptLog, ...]:
    """Return the logs that a store keeps of the steps of a run."""
    found = []
    for outcome in run.outcomes:
        action = store.action(outcome.digest) if outcome.status in ("ran", "reused") else None
        path = store.find_log(action)
        if action is not None and path is not None:
            reused = outcome.status == "reused"
            found.append(KeptLog(outcome.step, path, action.log_level, reused))
    return tuple(found)
