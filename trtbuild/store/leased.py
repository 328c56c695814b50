"""LeasedStore: a store in a folder that several machines use at once."""

from __future__ import annotations

from pathlib import Path

from trtbuild.store.claims import Claim
from trtbuild.store.leases import Lease, Leases
from trtbuild.store.record_files import take_digits
from trtbuild.store.storage import FolderStorage
from trtbuild.store.store import Store

__all__ = ["LeasedStore"]


class LeasedStore(Store):
    """A store whose steps are claimed by leases too: locks may end at the machine's border."""

    def __init__(self, root: Path, leases: Leases | None = None) -> None:
        super().__init__(root)
        self._leases = leases or Leases(FolderStorage(root))

    def _try_lock(self, name: str, *, shared: bool = False) -> int | None:
        """Take a lock, where there are any; leases do without."""
        handle = super()._try_lock(name, shared=shared)
        self.remark = ""
        return handle

    def claim(self, digest: str) -> Claim | None:
        """Take the right to run a step, or return None while any machine has it."""
        own = super().claim(digest)
        if own is None:
            return None
        lease = self._leases.claim(take_digits(digest))
        if lease is None:
            own.close()
            return None
        return _LeasedClaim(own, self._leases, lease)

    def abandon(self) -> None:
        """Give every lease back."""
        self._leases.close()


class _LeasedClaim(Claim):
    """A lock here, and a lease among all."""

    def __init__(self, own: Claim, leases: Leases, lease: Lease) -> None:
        super().__init__(own.handle)
        self._leases, self._lease = leases, lease

    def close(self) -> None:
        """Give both back."""
        self._leases.release(self._lease)
        super().close()
