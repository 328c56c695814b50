"""Content-addressed objects and action records; atomic, locked, verified on read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from trtbuild.core.action import Action, Artifact
from trtbuild.core.digest import PREFIX, FileDigests, digest_of_bytes, digest_of_file
from trtbuild.core.errors import CorruptObject, NotWritable, StoreInUse
from trtbuild.core.files import (
    copy_whole,
    protect,
    remove_file,
    remove_tree,
    replace_whole,
    sync,
    write_whole,
)
from trtbuild.core.locations import find_store_root
from trtbuild.core.locks import NoLocks, try_lock
from trtbuild.core.watch import note_path
from trtbuild.store.claims import Claim
from trtbuild.store.layout import README, holds_object, locate_object, locate_record
from trtbuild.store.record_files import (
    RememberedActions,
    read_runs,
    read_same_contents,
    take_digits,
    write_action,
    write_runs,
    write_same_contents,
)

__all__ = ["Store", "find_default_root"]

MOST_RUNS = 10
"""How many runs of a recipe are remembered."""


def find_default_root() -> Path:
    """Return `TRTBUILD_STORE`, or trtbuild's folder in the user's cache directory."""
    return Path(find_store_root())


class Store:
    """Results of steps, by the digest of what they were made of."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.digests = FileDigests(root / "digests.json")
        self._earlier: dict[str, list[dict[str, str]]] = {}
        """The runs that were remembered before this process wrote one down."""
        self.remark = ""
        """What whoever builds with it should know; found out while it is used."""
        self.unkept: list[str] = []
        """Steps that were made of so much that no record can hold it."""
        self._actions = RememberedActions()

    def prepare(self) -> None:
        """Make the directories.

        Raises:
            NotWritable: the store cannot be written to.
        """
        try:
            for name in ("objects", "actions", "contents", "records", "work", "locks"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            if not (self.root / "README").exists():
                write_whole(self.root / "README", README.encode())
            # Several recipes may be applied in one process: each has a probe of its own.
            probe = self.root / "work" / f".probe-{os.urandom(6).hex()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise NotWritable(
                f"the store {self.root} cannot be written to: {error.strerror}",
                hint="choose another place with TRTBUILD_STORE=/some/directory",
            ) from None

    @contextlib.contextmanager
    def using(self) -> Iterator[None]:
        """Make the directories, and keep everything in them from being collected meanwhile.

        Where the file system has no locks, that is left to the user, as `remark` says.

        Raises:
            NotWritable: the store cannot be written to.
            StoreInUse: it is being swept.
        """
        self.prepare()
        lock = self._try_lock("in-use", shared=True)
        if lock is None:
            raise StoreInUse(f"the store {self.root} is being swept", hint="try again in a moment")
        try:
            yield
        finally:
            os.close(lock)

    def _try_lock(self, name: str, *, shared: bool = False) -> int | None:
        """Take a lock, or return None while somebody stands against it.

        Without locks nobody ever does: what comes back then is a descriptor all the same.
        """
        try:
            return try_lock(self.root / name, shared=shared)
        except NoLocks as error:
            self.remark = (
                f"the store's file system has no locks ({error.strerror}): let one trtbuild at a "
                "time work with it, set TRTBUILD_STORE_SHARED=1, or choose another TRTBUILD_STORE"
            )
            return os.open(os.devnull, os.O_RDONLY)

    # Objects

    def object_path(self, digest: str) -> Path:
        """Return where the bytes with this digest lie, or would lie."""
        return Path(locate_object(self.root, digest))

    def has(self, artifact: Artifact) -> bool:
        """Tell whether an artifact is here, with the right size."""
        return holds_object(self.root, artifact.digest, artifact.size_bytes)

    def add(self, path: Path, name: str, *, move: bool = False) -> Artifact:
        """Take a file in; with `move` the file itself becomes the object."""
        digest = digest_of_file(path)
        artifact = Artifact(name=name, digest=digest, size_bytes=path.stat().st_size)
        target = self.object_path(digest)
        if self.has(artifact):
            return artifact
        if move:
            sync(path)
            protect(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        else:
            copy_whole(path, target)
            protect(target)
        return artifact

    def verify(self, artifact: Artifact) -> Path:
        """Return an object's path, having read it whole and found it right.

        Raises:
            CorruptObject: its bytes are not what its digest says; it has been put aside.
        """
        path = self.object_path(artifact.digest)
        if not self.has(artifact) or digest_of_file(path) != artifact.digest:
            remove_file(path)
            raise CorruptObject(
                f"{artifact.name} in the store was damaged ({artifact.digest[:19]})",
                hint="it has been removed; the next apply makes it again",
            )
        return path

    # Actions

    def action(self, digest: str) -> Action | None:
        """Return the recorded action of a step, if one is recorded, its artifacts gone or not."""
        try:
            return self._actions.read(self._record("actions", digest), digest)
        except CorruptObject:
            return None  # whoever wrote down what is no digest

    def iterate_actions(self) -> Iterator[Action]:
        """Yield every step that is recorded here."""
        for path in sorted((self.root / "actions").glob("*.json")):
            action = self.action(PREFIX + path.stem)
            if action is not None:
                yield action

    def same_contents(self, digest: str) -> Action | None:
        """Return an action whose inputs had the contents of a digest, however they came about."""
        return read_same_contents(self._record("contents", digest), digest)

    def complete(self, action: Action | None, outputs: Iterable[str] = ()) -> bool:
        """Tell whether an action is recorded, left these outputs, and all it left is here."""
        if action is None:
            return False
        left = {artifact.name for artifact in action.artifacts}
        return left.issuperset(outputs) and all(map(self.has, action.artifacts))

    def bring(self, action: Action | None, outputs: Iterable[str] = ()) -> bool:
        """Have all that an action left here; return whether it is."""
        return self.complete(action, outputs)

    def bring_object(self, digest: str, size_bytes: int | None = None) -> bool:
        """Have an object here; return whether it is."""
        path = self.object_path(digest)
        return path.is_file() and size_bytes in {None, path.stat().st_size}

    def bring_notes(self, declared: str) -> list[bytes]:
        """Return what others have noted of a step's code, beside what is noted here."""
        del declared
        return []

    def send_note(self, declared: str, note: bytes) -> None:
        """Let others know what a step's code was seen to rest on."""

    def record(self, action: Action, contents: str) -> None:
        """Write an action down, with its inputs' contents as canonical JSON.

        Its artifacts must be in the store already.
        """
        digest = digest_of_bytes(contents.encode())
        write_same_contents(self._record("contents", digest), action, contents)
        if not write_action(self._record("actions", action.digest), action):
            self.unkept.append(action.step)

    def _record(self, folder: str, digest: str) -> Path:
        return Path(locate_record(self.root, folder, digest))

    # Logs

    def keep_log(self, path: Path, digest: str) -> bool:
        """Move the log of a step in, if it says anything; return whether it does."""
        if not path.is_file() or not path.stat().st_size:
            return False
        kept = self._log_path(digest)
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.replace(kept)
        return True

    def find_log(self, action: Action | None) -> Path | None:
        """Return where the log of a step is kept; None where it is not."""
        if action is None or not action.log:
            return None
        with contextlib.suppress(CorruptObject):  # of a record that was made to do harm
            path = self._log_path(action.log)
            note_path(path)
            return path if path.is_file() else None
        return None

    def _log_path(self, digest: str) -> Path:
        return self.root / "logs" / f"{take_digits(digest)}.txt"

    # Work in progress

    def claim(self, digest: str) -> Claim | None:
        """Take the right to run a step, or return None while another process has it."""
        handle = self._try_lock(f"locks/{take_digits(digest)}")
        return None if handle is None else Claim(handle)

    def finish(self) -> None:
        """Wait until what was made is wherever it is to be."""

    def abandon(self) -> None:
        """Wait for nothing: what is made here is here."""

    def list_troubles(self) -> tuple[str, ...]:
        """Say what went wrong and did not keep the walk from its end."""
        return ()

    def work(self, digest: str) -> Path:
        """Return a fresh directory for a claimed step; what earlier tries left is removed."""
        name = take_digits(digest)[:16]
        work = self.root / "work" / f"{name}-{os.getpid()}"
        # Without locks, another process may be at it in a directory of its own.
        for left in [work] if self.remark else (self.root / "work").glob(f"{name}-*"):
            remove_tree(left)
        (work / "out").mkdir(parents=True)
        return work

    @contextlib.contextmanager
    def fetching(self, digest: str) -> Iterator[Path]:
        """Yield a path to download to; it becomes the object with this digest."""
        with replace_whole(self.object_path(digest)) as part:
            yield part

    # The last runs of each recipe

    def history(self, recipe: str) -> dict[str, str]:
        """Return the step digests (by step name) of the last run of a recipe."""
        runs = self.runs(recipe)
        return runs[0] if runs else {}

    def runs(self, recipe: str) -> list[dict[str, str]]:
        """Return the step digests of the runs of a recipe that are remembered, newest first."""
        return read_runs(self._runs(recipe), recipe)

    def remember(self, recipe: str, steps: Mapping[str, str]) -> None:
        """Write down the step digests of a run, over those of the run before.

        What one process writes, walk by walk, is one run.
        """
        runs = self.runs(recipe)
        latest = {**(runs[0] if runs else {}), **steps}
        rest = self._earlier.setdefault(recipe, runs)
        kept = [latest, *(run for run in rest if run != latest)][:MOST_RUNS]
        if kept != runs:
            write_runs(self._runs(recipe), recipe, kept)

    def recipes(self) -> list[str]:
        """Return the names of the recipes whose runs are remembered, sorted."""
        return sorted(path.stem for path in (self.root / "records").glob("*.json"))

    def _runs(self, recipe: str) -> Path:
        return self.root / "records" / f"{recipe}.json"
