"""How long steps will take, going by how long they took in earlier runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trtbuild.plan.explain import Decision
from trtbuild.store.store import Store

__all__ = ["estimate_seconds"]


def estimate_seconds(recipe: str, decisions: Sequence[Decision], store: Store) -> dict[str, float]:
    """Return how long each step that would run took when it last ran, where the store knows it.

    A step goes by its name: an engine built anew, of another model or with other options, is
    expected to take as long as that target's engine before it.
    """
    wanted = [each.step for each in decisions if each.verdict in ("run", "maybe")]
    return dict(_seconds(wanted, store.runs(recipe), store)) if wanted else {}


def _seconds(
    wanted: Sequence[str], runs: Sequence[dict[str, str]], store: Store
) -> Iterator[tuple[str, float]]:
    for name in wanted:
        for run in runs:
            action = store.action(run[name]) if name in run else None
            if action is not None:
                yield name, action.seconds
                break
