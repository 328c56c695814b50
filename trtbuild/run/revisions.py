"""Recipes at two revisions of a git repository."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trtbuild.core.errors import UsageError
from trtbuild.plan.absent import absent_data, places
from trtbuild.recipe.load import load

__all__ = ["changed_recipes", "lend_data", "revisions"]


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
    """Return the recipes of both sides, relative, sorted: YAML with a model and targets."""
    return sorted(
        {
            path.relative_to(side)
            for side in (before, after)
            for path in side.rglob("*.yaml")
            if _is_recipe(path)
        }
    )


def lend_data(side: Path, recipe: Path) -> tuple[str, ...]:
    """Link data that git does not hold from the working tree; return the names of the data sets.

    `recipe` is relative to `side`. Nothing is linked that would lie outside of it.
    """
    if not (side / recipe).is_file():
        return ()
    top = Path(_git(Path(), "rev-parse", "--show-toplevel").decode().strip())
    loaded = load(side / recipe)
    lent = []
    for name in absent_data(loaded.recipe, (side / recipe).parent):
        for place in places(loaded.recipe, name):
            here = top / recipe.parent / place
            there = Path(os.path.normpath((side / recipe).parent / place))
            if here.exists() and there.is_relative_to(side) and not there.exists():
                there.parent.mkdir(parents=True, exist_ok=True)
                there.symlink_to(here.resolve())
                lent.append(name)
    return tuple(lent)


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
