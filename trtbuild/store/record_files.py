"""Records in the store: each is read only as what it is asked for, or not at all.

A record that is whole may still be another's: copied, restored to a wrong name, or forged.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from trtbuild.core.action import Action
from trtbuild.core.digest import (
    digest_of_bytes,
    read_sealed,
    read_sealed_tree,
    seal,
    unseal,
    write_canonical_json,
)
from trtbuild.core.errors import CorruptObject
from trtbuild.core.files import write_whole
from trtbuild.core.options import Options
from trtbuild.core.watch import note_path

__all__ = [
    "RememberedActions",
    "parse_action",
    "read_action",
    "read_runs",
    "read_same_contents",
    "take_digits",
    "write_action",
    "write_runs",
    "write_same_contents",
]

MOST_ACTION_BYTES = 64 << 20
"""What a step of half a million files comes to; no lock holds as many."""
MOST_RUNS_BYTES = 8 << 20
MOST_REMEMBERED_BYTES = 1 << 20
FileState = tuple[int, int, int, int]
"""Size, the times when bytes and entry were changed last, inode."""
Kind = TypeVar("Kind", bound=Options)
_DIGEST = re.compile("sha256:([0-9a-f]{64})")


class _SameContents(Options):
    """An action under another name: that of its inputs' contents."""

    contents: str
    """Canonical JSON, whose digest is the name."""
    action: Action


def take_digits(digest: str) -> str:
    """Return the digits of a digest; nothing else may become a part of a path.

    Raises:
        CorruptObject: it is no digest.
    """
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise CorruptObject(
            f"`{digest}` in the store is no digest", hint="choose another store with TRTBUILD_STORE"
        )
    return found[1]


def write_action(path: Path, action: Action) -> bool:
    """Write an action down under its digest; return whether it can be read again.

    One of too many files to be kept is not: its step runs each time.
    """
    return _write(path, action.model_dump_json(), MOST_ACTION_BYTES)


def read_action(path: Path, digest: str) -> Action | None:
    """Return the action with a digest, or None where that is not what the file holds."""
    return _check(_read(path, Action, MOST_ACTION_BYTES), digest)


def parse_action(data: bytes, digest: str) -> Action | None:
    """Return the action with a digest, or None where that is not what its file's bytes hold."""
    return _check(_parse(unseal(data), Action), digest)


def _check(action: Action | None, digest: str) -> Action | None:
    return action if action is not None and action.digest == digest and _fits(action) else None


class RememberedActions:
    """Reads actions, each once while its file stands: a command asks for one several times."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[FileState, Action | None]] = {}

    def read(self, path: Path, digest: str) -> Action | None:
        """Return the action with a digest, or None where that is not what the file holds."""
        state = _describe_file(path)
        known = self._known.get(path)
        if known is not None and known[0] == state:
            note_path(path)
            return known[1]
        found = read_action(path, digest)
        if state is not None and state[0] <= MOST_REMEMBERED_BYTES:
            self._known[path] = state, found
        return found


def _describe_file(path: Path) -> FileState | None:
    """Return what tells one state of a file from another; None where there is none."""
    try:
        seen = os.stat(path)  # noqa: PTH116  # asked often
    except OSError:
        return None
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino


def write_same_contents(path: Path, action: Action, contents: str) -> None:
    """Write an action down under the digest of its inputs' contents, given as canonical JSON."""
    found = _SameContents(contents=contents, action=action)
    _write(path, found.model_dump_json(), 2 * MOST_ACTION_BYTES)


def read_same_contents(path: Path, digest: str) -> Action | None:
    """Return the action whose inputs' contents have a digest, or None where there is none."""
    found = _read(path, _SameContents, 2 * MOST_ACTION_BYTES)
    own = found is not None and _digest_of_text(found.contents) == digest
    return found.action if found is not None and own and _fits(found.action) else None


def write_runs(path: Path, recipe: str, runs: Sequence[dict[str, str]]) -> None:
    """Write the runs of a recipe down."""
    write_whole(path, seal(write_canonical_json({"recipe": recipe, "runs": runs})))


def read_runs(path: Path, recipe: str) -> list[dict[str, str]]:
    """Return the runs of a recipe; none where they are not what the file holds."""
    found = read_sealed_tree(path, MOST_RUNS_BYTES)
    if not isinstance(found, dict) or found.get("recipe") != recipe:
        return []
    runs = found.get("runs")
    if not isinstance(runs, list):
        return []
    sound = all(
        isinstance(run, dict) and all(isinstance(each, str) for each in run.values())
        for run in runs
    )
    return runs if sound else []


def _write(path: Path, text: str, most_bytes: int) -> bool:
    data = seal(text)
    if len(data) > most_bytes:
        return False
    write_whole(path, data)
    return True


def _read(path: Path, kind: type[Kind], most_bytes: int) -> Kind | None:
    """Return a record, or None where it is absent, torn, damaged or none of this kind."""
    return _parse(read_sealed(path, most_bytes), kind)


def _parse(text: str | None, kind: type[Kind]) -> Kind | None:
    try:
        return None if text is None else kind.model_validate_json(text)
    except ValueError:
        return None  # of another version, or made to do harm: the step runs again


def _fits(action: Action) -> bool:
    """Tell whether an action has the digest of what it says it was made of."""
    own = _digest_of_text(action.ingredients) == action.digest
    return own and all(_DIGEST.fullmatch(each.digest) for each in action.artifacts)


def _digest_of_text(text: str) -> str:
    return digest_of_bytes(text.encode("utf-8", "surrogatepass"))
