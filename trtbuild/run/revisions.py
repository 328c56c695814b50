"""Recipes at two revisions of a git repository."""

from __future__ import annotations

import contextlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trtbuild.core.errors import UsageError

__all__ = ["changed_recipes", "revisions"]


@contextlib.contextmanager
def revisions(between: str, *, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the trees of the two revisions of `A...B` (from where they parted) or `A..B`.

    Only what git holds is there: data that it ignores is not.

    Raises:
        UsageError: git does not know them, or this is no repository.
    """
    first, dots, last = between.partition("...")
    if not dots:
        first, dots, last = between.partition("..")
    if not dots or first.startswith("-") or last.startswith("-"):
        raise UsageError(f"`{between}` is not two revisions", hint="write --git main...HEAD")
    first, last = first or "HEAD", last or "HEAD"
    if "..." in between:
        first = _git(folder, "merge-base", first, last).decode().strip()
    with tempfile.TemporaryDirectory(prefix="trtbuild-diff-") as place:
        sides = (Path(place) / "before", Path(place) / "after")
        for revision, side in zip((first, last), sides, strict=True):
            archive = _git(folder, "archive", "--format=tar", revision)
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(side, filter="data")
        yield sides


def changed_recipes(before: Path, after: Path) -> list[Path]:
    """Return the recipes that both sides have, relative, sorted: YAML with a model and targets."""
    return [
        path.relative_to(after)
        for path in sorted(after.rglob("*.yaml"))
        if (before / path.relative_to(after)).is_file() and _is_recipe(path)
    ]


def _is_recipe(path: Path) -> bool:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {"model", "targets", "version"} <= {line.partition(":")[0] for line in lines}


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        top = ["git", "-C", str(folder)]
        where = subprocess.run([*top, "rev-parse", "--show-toplevel"], **_QUIET)  # type: ignore[call-overload]  # noqa: PLW1510
        if where.returncode == 0:
            top = ["git", "-C", where.stdout.decode().strip()]
        done = subprocess.run([*top, *arguments], **_QUIET)  # type: ignore[call-overload]  # noqa: PLW1510
    except FileNotFoundError:
        raise UsageError("git is not installed") from None
    if done.returncode:
        raise UsageError(f"git: {done.stderr.decode(errors='replace').strip().splitlines()[0]}")
    return bytes(done.stdout)


_QUIET = {"capture_output": True, "check": False}
