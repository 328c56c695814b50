"""Leases: the right to run a step, among machines that share a storage and no clock.

A lease is a name that one alone can make (`leases/<digest>/1`). Who holds it writes into it anew
every few seconds. Whoever else wants the step watches it by a clock of its own that nobody sets:
where nothing was written for long, it makes the next name (`.../2`), which again one alone can. So
no machine's time of day counts, and nothing is ever taken from one who is at work.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from trtbuild.core.watch import look_apart
from trtbuild.store.storage import Storage

__all__ = ["Lease", "Leases", "describe_owner", "died_here"]

BEAT_SECONDS = 10.0
DEAD_SECONDS = 60.0
"""Of six beats none came: its holder is gone, or cannot reach the storage any more."""
MOST_BYTES = 4096


class _Seen(NamedTuple):
    """What a lease said, and since when it has said that, by this process's clock."""

    key: str
    data: bytes
    since: float


class Lease:
    """The right to run a step; `close` gives it back."""

    def __init__(self, storage: Storage, key: str, owner: dict[str, str | int]) -> None:
        self.key = key
        self._storage = storage
        self._owner = owner
        self._beats = 0

    def data(self) -> bytes:
        """Return what stands in it next: never twice the same."""
        self._beats += 1
        return json.dumps({**self._owner, "beat": self._beats}).encode()

    def beat(self) -> None:
        """Say that its holder is at work."""
        self._storage.write(self.key, self.data())


class Leases:
    """The leases of this process in a storage; a thread keeps them up while there are any."""

    def __init__(
        self,
        storage: Storage,
        *,
        beat_seconds: float = BEAT_SECONDS,
        dead_seconds: float = DEAD_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._beat_seconds = beat_seconds
        self._dead_seconds = dead_seconds
        self._clock = clock
        self._owner = describe_owner()
        self._seen: dict[str, _Seen] = {}
        self._held: set[Lease] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def claim(self, name: str) -> Lease | None:
        """Take the lease of a name; None while another holds it."""
        folder, number = f"leases/{name}", 1
        lease = self._make(f"{folder}/1")
        if lease is None:
            number = self._find_last(folder)
            if number and not self._is_dead(f"{folder}/{number}"):
                return None
            lease = self._make(f"{folder}/{number + 1}")
        if lease is not None:
            self._seen.pop(folder, None)
            with self._lock:
                self._held.add(lease)
            self._keep_up()
        return lease

    def holder(self, name: str) -> str:
        """Say who was last seen to hold a lease that could not be had."""
        seen = self._seen.get(f"leases/{name}")
        told = {} if seen is None else _read(seen.data)
        return f"{told.get('host', 'another machine')}, process {told.get('pid', '?')}"

    def release(self, lease: Lease) -> None:
        """Give a lease back, with those of the dead that it followed on."""
        with self._lock:
            self._held.discard(lease)
        folder, _, number = lease.key.rpartition("/")
        for each in range(1, int(number) + 1):  # its own at last: until then it is held
            self._storage.remove(f"{folder}/{each}")

    def _make(self, key: str) -> Lease | None:
        lease = Lease(self._storage, key, self._owner)
        return lease if self._storage.create(key, lease.data()) else None

    def _find_last(self, folder: str) -> int:
        numbers = (each.key.rpartition("/")[2] for each in self._storage.list(folder))
        return max((int(each) for each in numbers if each.isdigit()), default=0)

    def _is_dead(self, key: str) -> bool:
        """Tell whether nothing was written into a lease for long, or its holder is known dead."""
        folder = key.rpartition("/")[0]
        data, now = self._storage.read(key, MOST_BYTES), self._clock()
        if data is None:
            return False  # given back this moment: the next look tells
        seen = self._seen.get(folder)
        if seen is None or (seen.key, seen.data) != (key, data):
            seen = self._seen[folder] = _Seen(key, data, now)
        return now - seen.since > self._dead_seconds or died_here(_read(data))

    def _keep_up(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, daemon=True, name="leases")
            self._thread.start()

    def _beat(self) -> None:
        look_apart()
        while True:
            time.sleep(self._beat_seconds)
            with self._lock:
                held = list(self._held)
            for lease in held:
                with contextlib.suppress(Exception):  # the next beat may come through
                    lease.beat()
                    self._undo_late(lease)

    def _undo_late(self, lease: Lease) -> None:
        """Take back what was written into a lease that was given back meanwhile."""
        with self._lock:
            gone = lease not in self._held
        if gone:
            self._storage.remove(lease.key)

    def close(self) -> None:
        """Give all back."""
        for lease in list(self._held):
            with contextlib.suppress(Exception):  # who cannot be reached learns it by the silence
                self.release(lease)


def describe_owner() -> dict[str, str | int]:
    """Say who this process is, so that others on its machine can tell whether it lives."""
    return {
        "host": socket.gethostname(),
        "machine": _read_machine(),
        "pid": os.getpid(),
        "started": _read_start(os.getpid()),
    }


def _read_machine() -> str:
    """Return what tells this machine's processes from all others: its start, and their numbers."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except (OSError, UnicodeDecodeError):
        return ""


def _read_start(pid: int) -> str:
    """Return when a process began, in ticks since the machine did; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError, UnicodeDecodeError):
        return ""


def died_here(told: dict[str, object]) -> bool:
    """Tell whether a holder ran on this machine, and does no more."""
    machine, pid = told.get("machine"), told.get("pid")
    if not machine or machine != _read_machine() or not isinstance(pid, int):
        return False
    return _read_start(pid) != told.get("started")


def _read(data: bytes) -> dict[str, object]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
