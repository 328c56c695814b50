"""Recipes at two revisions of a git repository."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.errors import UsageError
from trtbuild.plan.absent_data import find_absent_data, list_places
from trtbuild.recipe.load import load_recipe
from trtbuild.recipe.variants import expand_variants, lies_there

__all__ = [
    "Revisions",
    "check_out_revisions",
    "find_changed_recipes",
    "find_git_path",
    "is_recipe",
    "lend_data",
    "list_changed_files",
]

_MOST_EXTENDED = 8
SUFFIXES = {".yaml", ".yml"}
_FETCH = "fetch it; a CI job checks out one commit alone, unless told otherwise (`fetch-depth: 0`)"


@dataclass(frozen=True)
class Revisions:
    """The trees of two revisions, each a folder that is there for a while."""

    before: Path
    after: Path
    renamed: Mapping[Path, Path]
    """What files are called after, by what they were called before; relative."""

    def pair(self, path: Path) -> tuple[Path, Path]:
        """Return what a file is called before and after, by either name."""
        for old, new in self.renamed.items():
            if path in (old, new) and lies_there(self.before / old):
                return old, new
        return path, path


@contextlib.contextmanager
def check_out_revisions(between: str, *, folder: Path) -> Iterator[Revisions]:
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
    first, last = (_resolve_revision(folder, each or "HEAD") for each in (first, last))
    if "..." in between:
        first = _find_parting(folder, first, last, between)
    with tempfile.TemporaryDirectory(prefix="trtbuild-diff-") as place:
        sides = (Path(place) / "before", Path(place) / "after")
        for revision, side in zip((first, last), sides, strict=True):
            archive = _git(folder, "archive", "--format=tar", revision)
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(side, filter=_filter_member)  # noqa: S202  # it is the filter of `data`
        yield Revisions(*sides, renamed=_find_renamed(folder, first, last))


def list_changed_files(base: str, *, folder: Path) -> frozenset[Path]:
    """Return the files that differ from where `base` and this state parted, new ones included.

    This state is what lies in the folder's repository, committed or not.

    Raises:
        UsageError: git does not know the revision, or this is no repository.
    """
    if base.startswith("-"):
        raise UsageError(f"`{base}` is no revision", hint="--base origin/main")
    first = _resolve_revision(folder, base)
    parting = _find_parting(folder, first, _resolve_revision(folder, "HEAD"), f"{base}...HEAD")
    top = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel")).strip())
    told = _git(folder, "diff", "--name-only", "--no-renames", "-z", parting, "--")
    told += _git(folder, "ls-files", "--others", "--exclude-standard", "-z")
    return frozenset(top / name for name in os.fsdecode(told).split("\0") if name)


def _resolve_revision(folder: Path, name: str) -> str:
    """Return the commit that a name stands for."""
    _git(folder, "rev-parse", "--show-toplevel")
    found = _run_git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if found.returncode:
        raise UsageError(f"git knows no revision `{name}`", hint=_FETCH)
    return bytes(found.stdout).decode().strip()


def _find_parting(folder: Path, first: str, last: str, between: str) -> str:
    """Return where two commits parted, of which a shallow clone may know nothing."""
    found = _run_git(folder, "merge-base", first, last)
    if found.returncode:
        raise UsageError(
            f"git knows no commit that both sides of `{between}` stem from", hint=_FETCH
        )
    return bytes(found.stdout).decode().strip()


def _filter_member(member: tarfile.TarInfo, place: str) -> tarfile.TarInfo | None:
    """Leave out what leads elsewhere, such as links: data behind them is lent, where it is here."""
    try:
        return tarfile.data_filter(member, place)
    except tarfile.FilterError:
        return None


def _find_renamed(folder: Path, first: str, last: str) -> dict[Path, Path]:
    """Return what files are called now, by what they were called, as git has it."""
    told = _git(folder, "diff", "--name-status", "--find-renames", "-z", first, last, "--")
    words = iter(os.fsdecode(told).split("\0"))
    found = {}
    for status in words:
        if status[:1] in {"R", "C"}:
            old, new = Path(next(words)), Path(next(words))
            found.update({old: new} if status[0] == "R" else {})
        else:
            next(words, "")
    return found


def find_changed_recipes(found: Revisions) -> list[tuple[Path, Path]]:
    """Return the recipes of both sides, sorted: what each is called before and after."""
    recipes = {
        path.relative_to(side)
        for side in (found.before, found.after)
        for file in side.rglob("*.y*ml")
        if file.suffix in SUFFIXES and is_recipe(file)
        for path in expand_variants([file])
    }
    return sorted({found.pair(path) for path in recipes})


def lend_data(side: Path, recipe: Path) -> tuple[str, ...]:
    """Link data that git does not hold from the working tree; return the names of the data sets.

    `recipe` is relative to `side`. Nothing is linked that would lie outside of it.
    """
    if not lies_there(side / recipe):
        return ()
    top = Path(_git(Path(), "rev-parse", "--show-toplevel").decode().strip())
    loaded = load_recipe(side / recipe)
    lent = []
    for name in find_absent_data(loaded.recipe, (side / recipe).parent):
        for place in list_places(loaded.recipe, name):
            here = top / recipe.parent / place
            there = Path(os.path.normpath((side / recipe).parent / place))
            if here.exists() and there.is_relative_to(side) and not there.exists():
                there.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(OSError):  # Windows lets few users make links
                    there.symlink_to(here.resolve())
                    lent.append(name)
    return tuple(lent)


def find_git_path(path: Path) -> Path:
    """Return a path as git has it, from the repository's top; it relates to where we are."""
    top = Path(_git(Path(), "rev-parse", "--show-toplevel").decode().strip())
    whole = Path(os.path.abspath(path))  # noqa: PTH100  # a link is looked up by its own name
    return whole.relative_to(top) if whole.is_relative_to(top) else path


def is_recipe(path: Path, most: int = _MOST_EXTENDED) -> bool:
    """Tell a recipe, even one that is wrong: YAML with a model and targets, or one that extends it.

    Where that lies beside it; other tools' files may extend things too.
    """
    if not path.is_file():
        return False
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    found = {
        key.rstrip().strip("\"'"): value for key, _, value in (s.partition(":") for s in lines)
    }
    if {"model", "targets", "version"} <= found.keys():
        return True
    base = found.get("extends", "").partition(" #")[0].strip().strip("\"'")
    return bool(most and base and "/" not in base and is_recipe(path.parent / base, most - 1))


def _git(folder: Path, *arguments: str) -> bytes:
    done = _run_git(folder, *arguments)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"git: {said[0] if said else f'{arguments[0]} failed'}")
    return bytes(done.stdout)


def _run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in the whole of a repository, wherever in it the folder is."""
    try:
        top = ["git", "-C", str(folder)]
        where = subprocess.run([*top, "rev-parse", "--show-toplevel"], **_QUIET)  # type: ignore[call-overload]  # noqa: PLW1510
        if where.returncode == 0:
            top = ["git", "-C", where.stdout.decode().strip()]
        return subprocess.run([*top, *arguments], **_QUIET)  # type: ignore[call-overload,no-any-return]  # noqa: PLW1510
    except FileNotFoundError:
        raise UsageError("git is not installed") from None


_QUIET = {"capture_output": True, "check": False}
