"""SharedStore: a store before a remote one: read through, written back, claimed together."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from trtbuild.core.action import Action, Artifact
from trtbuild.core.digest import digest_of_bytes, seal, write_canonical_json
from trtbuild.core.errors import CorruptObject
from trtbuild.core.files import remove_file, write_whole
from trtbuild.store.claims import Claim
from trtbuild.store.leases import Lease
from trtbuild.store.record_files import MOST_ACTION_BYTES, take_digits
from trtbuild.store.remote import Remote, Unreachable, name_object, name_record
from trtbuild.store.store import Store

__all__ = ["SharedStore", "send_step"]

SENDERS = 4
MOST_NOTES_BYTES = 4 << 20


class _Made(NamedTuple):
    """A step that ran here, to be sent."""

    action: Action
    contents: str


class SharedStore(Store):
    """What is not here is looked for in the remote store; what is made here is sent there.

    Sending happens beside the walk, and a step's lease is given back when all it made is there.
    """

    def __init__(self, root: Path, remote: Remote) -> None:
        super().__init__(root)
        self.remote = remote
        self.brought = 0
        """How many objects came from the remote store."""
        self.sent = 0
        """How many steps went there."""
        self._made: list[_Made] = []
        self._jobs: queue.SimpleQueue[tuple[list[_Made], Lease | None] | None] = queue.SimpleQueue()
        self._senders: list[threading.Thread] = []

    # Read through

    def action(self, digest: str) -> Action | None:
        """Return the action of a step that is recorded here or there."""
        return super().action(digest) or self._bring_record("actions", digest, super().action)

    def same_contents(self, digest: str) -> Action | None:
        """Return an action by its inputs' contents that is recorded here or there."""
        found = super().same_contents(digest)
        return found or self._bring_record("contents", digest, super().same_contents)

    def _bring_record(
        self, folder: str, digest: str, read: Callable[[str], Action | None]
    ) -> Action | None:
        try:
            key = name_record(folder, digest)
        except CorruptObject:
            return None
        data = self.remote.read(key, 2 * MOST_ACTION_BYTES)
        if data is None:
            return None
        path = self.root / key
        write_whole(path, data)
        found = read(digest)
        if found is None:
            remove_file(path)
            self.remote.tell(
                f"{key[:27]}… in the remote store {self.remote.storage.name} is damaged, or of "
                "another trtbuild; it was not used"
            )
        return found

    def complete(self, action: Action | None, outputs: Iterable[str] = ()) -> bool:
        """Tell whether all that a step left is here, or there."""
        if action is None or not {each.name for each in action.artifacts}.issuperset(outputs):
            return False
        return all(self.has(each) or self._is_there(each) for each in action.artifacts)

    def _is_there(self, artifact: Artifact) -> bool:
        found: int | None = None
        with contextlib.suppress(Unreachable):
            if not self.remote.set_aside:
                key = name_object(artifact.digest)
                found = self.remote.ask(lambda: self.remote.storage.size(key))
        return found == artifact.size_bytes

    def bring(self, action: Action | None, outputs: Iterable[str] = ()) -> bool:
        """Have all that a step left here; what the remote store has is fetched, and digested."""
        if action is None or not {each.name for each in action.artifacts}.issuperset(outputs):
            return False
        return all(self.bring_object(each.digest, each.size_bytes) for each in action.artifacts)

    def bring_object(self, digest: str, size_bytes: int | None = None) -> bool:
        """Have an object here."""
        path = self.object_path(digest)
        if path.is_file() and size_bytes in {None, path.stat().st_size}:
            return True
        found = self.remote.bring(digest, size_bytes, path)
        self.brought += found
        return found

    def verify(self, artifact: Artifact) -> Path:
        """Return an object's path, brought here if need be, having found it right."""
        if not self.has(artifact):
            self.bring_object(artifact.digest, artifact.size_bytes)
        return super().verify(artifact)

    def find_log(self, action: Action | None) -> Path | None:
        """Return where the log of a step is kept, brought here if need be."""
        found = super().find_log(action)
        if found is not None or action is None or not action.log:
            return found
        with contextlib.suppress(CorruptObject):
            data = self.remote.read(f"logs/{take_digits(action.log)}.txt", MOST_ACTION_BYTES)
            if data is not None:
                write_whole(self._log_path(action.log), data)
        return super().find_log(action)

    # What code was seen to rest on

    def bring_notes(self, declared: str) -> list[bytes]:
        """Return what other machines have noted of a step's code."""
        folder = f"observed/{take_digits(declared)}"
        with contextlib.suppress(Unreachable):
            if not self.remote.set_aside:
                keys = [each.key for each in self.remote.list(folder)]
                found = [self.remote.read(key, MOST_NOTES_BYTES) for key in keys]
                return [each for each in found if each is not None]
        return []

    def send_note(self, declared: str, note: bytes) -> None:
        """Let other machines know what a step's code was seen to rest on."""
        if self.remote.writes and not self.remote.set_aside:
            name = take_digits(digest_of_bytes(note))[:16]
            with contextlib.suppress(Unreachable):
                self.remote.write(f"observed/{take_digits(declared)}/{name}.json", note)

    # Claims, and what is sent

    def claim(self, digest: str) -> Claim | None:
        """Take the right to run a step, here and among all machines."""
        own = super().claim(digest)
        if own is None or not self.remote.writes:
            return own
        try:
            lease = self.remote.claim(digest)
        except Unreachable:
            return own  # to build twice is better than not to build
        if lease is None:
            own.close()
            return None
        # Whoever had it may have made the step since it was last asked for.
        self.remote.forget(name_record("actions", digest))
        return _SharedClaim(own, self, lease)

    def record(self, action: Action, contents: str) -> None:
        """Write an action down; it is sent when its claim is given back."""
        super().record(action, contents)
        self._made.append(_Made(action, contents))

    def give_back(self, lease: Lease | None) -> None:
        """Send what was made, then give a lease back; returns at once."""
        made, self._made = self._made, []
        if not made and lease is None:
            return
        if len(self._senders) < SENDERS:
            self._senders.append(threading.Thread(target=self._send, daemon=True, name="sender"))
            self._senders[-1].start()
        self._jobs.put((made, lease))

    def _send(self) -> None:
        while (job := self._jobs.get()) is not None:
            made, lease = job
            for each in made:
                self._send_step(each)
            if lease is not None:
                self.remote.release(lease)

    def _send_step(self, made: _Made) -> None:
        if not self.remote.writes or self.remote.set_aside:
            return
        try:
            send_step(self, self.remote, made.action, made.contents)
            self.sent += 1
        except Unreachable:
            return  # that is told
        except OSError as error:
            self.remote.tell(str(error))

    def finish(self) -> None:
        """Wait until all that was made is sent, and every lease given back."""
        self.give_back(None)
        for _ in self._senders:
            self._jobs.put(None)
        for sender in self._senders:
            sender.join()
        self._senders.clear()

    def abandon(self) -> None:
        """Give back every lease at once; what is not sent yet may be sent by `store push`."""
        self.remote.close()

    def remember(self, recipe: str, steps: Mapping[str, str]) -> None:
        """Write a run down, there too: what no run of late stands on may go."""
        super().remember(recipe, steps)
        latest = self.history(recipe)
        if self.remote.writes and not self.remote.set_aside and latest:
            text = write_canonical_json({"recipe": recipe, "steps": latest})
            name = take_digits(digest_of_bytes(text.encode()))[:16]
            with contextlib.suppress(Unreachable):
                self.remote.write(f"runs/{recipe}/{name}.json", seal(text))

    def list_troubles(self) -> tuple[str, ...]:
        """Say what went wrong with the remote store."""
        return tuple(self.remote.troubles)


class _SharedClaim(Claim):
    """A claim here, and a lease among all."""

    def __init__(self, own: Claim, store: SharedStore, lease: Lease) -> None:
        super().__init__(own.handle)
        self._store, self._lease = store, lease

    def close(self) -> None:
        """Give both back; the lease when what was made is there."""
        super().close()
        self._store.give_back(self._lease)


def send_step(store: Store, remote: Remote, action: Action, contents: str) -> None:
    """Send all that a step left, then the word of it: none is there that promises what is not.

    Raises:
        Unreachable: the storage failed.
        OSError: an object here cannot be read.
    """
    for artifact in action.artifacts:
        remote.send(artifact.digest, store.object_path(artifact.digest))
    log = store.find_log(action) if action.log else None
    if log is not None:
        remote.write(f"logs/{take_digits(action.log)}.txt", log.read_bytes())
    by_contents = name_record("contents", digest_of_bytes(contents.encode()))
    for key in (by_contents, name_record("actions", action.digest)):
        path = store.root / key
        if path.is_file():
            remote.write(key, path.read_bytes())
