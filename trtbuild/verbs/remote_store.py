"""The remote store, as verbs ask for it: sent to, brought from, swept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import UsageError
from trtbuild.store.shared import SharedStore

if TYPE_CHECKING:
    from trtbuild.store.exchange import Exchange, RemoteCollection
    from trtbuild.store.store import Store

__all__ = ["collect_remote", "pull", "push"]


def push(store: Store, recipes: Sequence[str], tell: Callable[[str], None]) -> Exchange:
    """Send what the last runs of recipes stand on; raises as `store.exchange.push_runs`."""
    from trtbuild.store.exchange import push_runs

    shared = _demand_remote(store)
    with shared.using():
        return push_runs(_open_local(shared), shared.remote, recipes, tell)


def pull(store: Store, recipes: Sequence[str], tell: Callable[[str], None]) -> Exchange:
    """Bring what the last runs of recipes stand on; raises as `store.exchange.pull_runs`."""
    from trtbuild.store.exchange import pull_runs

    shared = _demand_remote(store)
    with shared.using():
        return pull_runs(shared, recipes, tell)


def collect_remote(store: Store, *, runs: int, days: float, pretend: bool) -> RemoteCollection:
    """Remove what nothing stands on any more; raises as `store.exchange.collect_remote_garbage`."""
    from trtbuild.store.exchange import collect_remote_garbage

    shared = _demand_remote(store)
    if not shared.remote.writes and not pretend:
        raise UsageError("the remote store is only read from", hint="settings: `write: true`")
    local = _open_local(shared)
    return collect_remote_garbage(shared.remote, local, runs=runs, days=days, pretend=pretend)


def _demand_remote(store: Store) -> SharedStore:
    if not isinstance(store, SharedStore):
        raise UsageError(
            "no remote store is named",
            hint="TRTBUILD_STORE_REMOTE=s3://bucket/folder (or a folder), or `remote:` in "
            "~/.config/trtbuild/config.yaml",
        )
    return store


def _open_local(store: SharedStore) -> Store:
    from trtbuild.store.store import Store as Local

    return Local(store.root)
