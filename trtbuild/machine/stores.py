"""The store of this machine, with what the user says stands behind it."""

from __future__ import annotations

import os
from pathlib import Path

from trtbuild.core.errors import UsageError
from trtbuild.core.watch import exclude
from trtbuild.machine.config import ConfiguredRemote, read_configured_remote
from trtbuild.store.store import Store, find_default_root

__all__ = ["find_remote", "open_store"]

REMOTE = "TRTBUILD_STORE_REMOTE"
WRITE = "TRTBUILD_STORE_REMOTE_WRITE"
SHARED = "TRTBUILD_STORE_SHARED"
NETWORK = (
    "nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "9p", "afs",
    "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.juicefs", "orangefs",
)  # fmt: skip
"""What file systems are called that other machines reach too."""
MOUNTS = "/proc/self/mounts"
YES, NO = ("1", "yes", "true", "on"), ("0", "no", "false", "off")


def open_store() -> Store:
    """Return the store, read through and written back where a remote one is named.

    Raises:
        RecipeError: the settings are wrong.
        UsageError: what names the remote store does not.
        MissingDependency: its library is not installed.
    """
    root, remote = find_default_root(), find_remote()
    if remote is not None:
        from trtbuild.store.remote import Remote
        from trtbuild.store.shared import SharedStore
        from trtbuild.store.storage import open_storage

        return SharedStore(root, Remote(open_storage(remote.url), writes=remote.write))
    if _read_flag(SHARED, otherwise=None) or (
        _read_flag(SHARED, otherwise=None) is None and _is_on_network(root)
    ):
        from trtbuild.store.leased import LeasedStore

        return LeasedStore(root)
    return Store(root)


def find_remote() -> ConfiguredRemote | None:
    """Return the remote store that is named: by the environment, else by the settings."""
    named = os.environ.get(REMOTE, "")
    whole = os.environ.get("TRTBUILD_STORE", "")
    url = named or (whole if "://" in whole else "")
    found = ConfiguredRemote(url) if url else read_configured_remote()
    if found is None or not found.url:
        return None
    return ConfiguredRemote(found.url, bool(_read_flag(WRITE, otherwise=found.write)))


def _read_flag(name: str, *, otherwise: bool | None) -> bool | None:
    text = os.environ.get(name, "").lower()
    if text and text not in (*YES, *NO):
        raise UsageError(f"{name} is neither 1 nor 0", hint=f"{name}=1, or {name}=0")
    return text in YES if text else otherwise


def _is_on_network(path: Path) -> bool:
    """Tell whether a path lies on a file system that other machines reach too."""
    # It decides how steps are claimed, not what comes of them; and it always looks just changed.
    exclude(MOUNTS)
    try:
        lines = Path(MOUNTS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    mounts = [line.split() for line in lines]
    place = path.absolute()
    found = [each for each in mounts if len(each) > 2 and place.is_relative_to(each[1])]  # noqa: PLR2004
    kind = max(found, key=lambda each: len(each[1]), default=("", "", ""))[2]
    return kind.startswith(NETWORK)
