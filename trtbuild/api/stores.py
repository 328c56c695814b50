"""The store that verbs work with, and what of it is here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trtbuild.store.store import Store, find_default_root

if TYPE_CHECKING:
    from trtbuild.run.reporting import RunningBuild
    from trtbuild.store.exchange import Exchange, RemoteCollection

__all__ = [
    "collect_remote",
    "list_running",
    "open_local_store",
    "open_store",
    "pull_store",
    "push_store",
]


def open_store() -> Store:
    """Return the store, read through and written back where a remote one is named.

    Raises:
        RecipeError: the settings are wrong.
        UsageError, MissingDependency: what names the remote store does not, or its library is not
            installed.
    """
    from trtbuild.machine.stores import open_store as opened

    return opened()


def open_local_store() -> Store:
    """Return what is here of the store, for the functions of `store.maintenance`."""
    return Store(find_default_root())


def list_running() -> tuple[RunningBuild, ...]:
    """Return what is being built with this store, and how far each build is."""
    from trtbuild.run.reporting import list_running as running

    return running(open_local_store())


def push_store(
    recipes: Sequence[str] = (), *, tell: Callable[[str], None] = lambda _: None
) -> Exchange:
    """Send what the last runs of recipes (all, where none are named) stand on.

    `tell` hears of each step.

    Raises:
        UsageError: no remote store is named, it is only read from, or a recipe has no run.
        Unreachable: the remote store failed; what is there is sound.
    """
    from trtbuild.verbs.remote_store import push

    return push(open_store(), recipes, tell)


def pull_store(
    recipes: Sequence[str] = (), *, tell: Callable[[str], None] = lambda _: None
) -> Exchange:
    """Bring what the last runs of recipes (all, where none are named) stand on.

    Raises:
        UsageError: no remote store is named, or it has no run of a recipe.
        Unreachable: the remote store failed.
    """
    from trtbuild.verbs.remote_store import pull

    return pull(open_store(), recipes, tell)


def collect_remote(*, runs: int = 1, days: float = 7, pretend: bool = False) -> RemoteCollection:
    """Remove from the remote store what neither so many last runs nor a lock stands on.

    What is younger than so many `days` is left.

    Raises:
        UsageError: no remote store is named, or it is only read from.
        Unreachable: the remote store failed.
    """
    from trtbuild.verbs.remote_store import collect_remote as collect

    return collect(open_store(), runs=runs, days=days, pretend=pretend)
