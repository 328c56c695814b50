"""Remote: what a storage holds of a store; asked within a time, held to digests, never in the way.

It has the store's own layout. Nothing that comes from it is believed: records are read as data and
must have the digest that they are asked for by, objects are digested as they lie here, before they
are given their name. Where it fails, that is told once, and the build goes on without it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject, TrtbuildError
from trtbuild.core.escape import escape_controls
from trtbuild.core.files import protect, replace_whole
from trtbuild.store.leases import Lease, Leases
from trtbuild.store.record_files import take_digits
from trtbuild.store.storage import Storage, StorageEntry

__all__ = ["Remote", "Unreachable", "name_object", "name_record"]

ASK_SECONDS = 60.0
"""How long a storage may take to answer; for an object, beside a second a SLOWEST bytes."""
CLOSE_SECONDS = 5.0
SLOWEST_BYTES = 256 << 10
MOST_FAILURES = 2
"""After so many in a row, it is asked no more."""
SILENT_SECONDS = 2.0
"""What was not there is not asked for again within this time, however often a walk looks."""
LEFT_ALONE = (
    "the remote store is left alone from here on; what was built is in the store here "
    "(`trtbuild store push` sends it later)"
)
Answer = TypeVar("Answer")


class Unreachable(TrtbuildError):
    """A storage failed, or did not answer in time."""

    code = 4


class _Absent(Exception):
    """An object was removed between a look and its fetching."""


def name_object(digest: str) -> str:
    """Return the key of the object with a digest."""
    name = take_digits(digest)
    return f"objects/{name[:2]}/{name[2:]}"


def name_record(folder: str, digest: str) -> str:
    """Return the key of a record."""
    return f"{folder}/{take_digits(digest)}.json"


class Remote:
    """A storage behind a store."""

    def __init__(
        self, storage: Storage, *, writes: bool = True, ask_seconds: float = ASK_SECONDS
    ) -> None:
        """Go by a storage; without `writes` only read from it."""
        self.storage = storage
        self.writes = writes
        self.troubles: list[str] = []
        """What went wrong, in sentences."""
        self.requests = 0
        self._ask_seconds = ask_seconds
        self._failures = 0
        self._absent: dict[str, float] = {}
        self._leases = Leases(storage) if writes else None

    @property
    def set_aside(self) -> bool:
        """Whether it has failed so often that it is asked no more."""
        return self._failures >= MOST_FAILURES

    # What walks ask, which goes on without an answer

    def read(self, key: str, most_bytes: int) -> bytes | None:
        """Return what lies there; None also where it cannot be reached, or was just not there."""
        now = time.monotonic()
        if now < self._absent.get(key, now):
            return None
        found = self._try(lambda: self.storage.read(key, most_bytes), None)
        if found is None:
            self._absent[key] = now + SILENT_SECONDS
        return found

    def forget(self, *keys: str) -> None:
        """Ask for these again, though they were just not there."""
        for key in keys:
            self._absent.pop(key, None)

    def bring(self, digest: str, size_bytes: int | None, path: Path) -> bool:
        """Bring an object here; return whether it was there, and is what its digest says."""

        def fetch() -> bool:
            key = name_object(digest)
            size = self.storage.size(key)
            if size is None or size_bytes not in {None, size}:
                return False
            with replace_whole(path) as part:
                if not self.storage.fetch(key, part):
                    raise _Absent
                if digest_of_file(part) != digest:
                    raise CorruptObject(
                        f"{digest[:19]} in the remote store {self.storage.name} is damaged; "
                        "it was not used"
                    )
                protect(part)
            return True

        try:
            return self._try(fetch, default=False, more_bytes=size_bytes or 0)
        except CorruptObject as error:
            self.tell(error.message)
            return False

    def claim(self, digest: str) -> Lease | None:
        """Take the right to run a step among all machines; None while another has it.

        Raises:
            Unreachable: it cannot be known.
        """
        leases = self._leases
        if leases is None or self.set_aside:
            raise Unreachable("leases are not taken")
        return self.ask(lambda: leases.claim(take_digits(digest)))

    def holder(self, digest: str) -> str:
        """Say who has the right to run a step."""
        return self._leases.holder(take_digits(digest)) if self._leases else ""

    def release(self, lease: Lease) -> None:
        """Give it back; where that fails, its silence will."""
        leases = self._leases
        if leases is not None:
            self._try(lambda: leases.release(lease), None)

    def _try(self, ask: Callable[[], Answer], default: Answer, *, more_bytes: int = 0) -> Answer:
        if self.set_aside:
            return default
        try:
            return self.ask(ask, more_bytes=more_bytes)
        except _Absent:
            return default
        except Unreachable:
            return default

    def tell(self, trouble: str) -> None:
        """Note what went wrong, once."""
        for told in (trouble, LEFT_ALONE) if self.set_aside else (trouble,):
            if told not in self.troubles:
                self.troubles.append(told)

    # What is asked for by name, and fails aloud

    def ask(self, ask: Callable[[], Answer], *, more_bytes: int = 0) -> Answer:
        """Ask the storage something; return the answer.

        Raises:
            Unreachable: it failed, or did not answer in time; that is told as a trouble too.
            CorruptObject: what was asked says so.
        """
        self.requests += 1
        seconds = self._ask_seconds + more_bytes / SLOWEST_BYTES
        try:
            answer = _within(seconds, ask)
        except (_Absent, CorruptObject):
            raise
        except Exception as error:  # noqa: BLE001  # storages' libraries raise what they like
            self._failures += 1
            trouble = f"the remote store {self.storage.name} failed: {_say(error)}"
            self.tell(trouble)
            raise Unreachable(
                trouble, hint="its address, the network, and the credentials that its library finds"
            ) from None
        self._failures = 0
        return answer

    def send(self, digest: str, path: Path) -> None:
        """Send an object, unless it is there; raises as `ask`."""
        key, size = name_object(digest), path.stat().st_size

        def send() -> None:
            if self.storage.size(key) != size:
                self.storage.send(key, path)

        self.ask(send, more_bytes=size)

    def write(self, key: str, data: bytes) -> None:
        """Write a record; raises as `ask`."""
        self.ask(lambda: self.storage.write(key, data))

    def list(self, prefix: str) -> Iterator[StorageEntry]:
        """Yield what lies below a folder of keys; raises as `ask`."""
        # A long list may take long; one that does not answer at all shall not be waited for so.
        self.ask(lambda: self.storage.size(f"{prefix}/probe"))
        yield from self.ask(lambda: [*self.storage.list(prefix)], more_bytes=1 << 30)

    def close(self) -> None:
        """Give back every lease."""
        leases = self._leases
        if leases is not None and not self.set_aside:
            with contextlib.suppress(Exception):  # its silence will
                _within(CLOSE_SECONDS, leases.close)


def _within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """Return an answer, or raise what went wrong; not to answer in time is wrong too.

    In a thread that nobody waits for at the end: some storages never answer.
    """
    box: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            box.append(ask())
        except BaseException as error:  # noqa: BLE001  # raised on the other side
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="remote store")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {seconds:.0f} seconds")
    if errors:
        raise errors[0]
    return box[0]


def _say(error: Exception) -> str:
    """Quote an error's first line, without what libraries tell of keys and tokens."""
    import re

    lines = str(error).strip().splitlines()
    told = lines[0] if lines else ""
    told = re.sub(
        r"(?i)((?:key|token|secret|signature|password|credential)\w*\W+)\S+", r"\1…", told
    )
    told = re.sub(r"://[^/\s@]+@", "://…@", told)
    told = re.sub(r"\?\S*", "?…", told)
    # Which key it was met with does not matter: each would be told anew.
    told = re.sub(r"(https?://[^/\s]+)/[^\s\"']*", r"\1/…", told)
    told = re.sub(r"(/\w\w)?/\.?[0-9a-f]{60,}[\w.]*", "/…", told)
    return escape_controls(f"{type(error).__name__}{': ' if told else ''}{told}")[:300]
