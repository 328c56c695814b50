"""Locks that lie about: where they are, and which tools they ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from trtbuild.core.errors import UsageError
from trtbuild.core.locations import find_store_root
from trtbuild.plan.lock import Lock, find_lock, read_lock
from trtbuild.plan.lock_tools import write_requirements
from trtbuild.recipe.variants import expand_variants

__all__ = ["find_locked_recipes", "list_requirements", "walk_sources"]

SUFFIXES = (".yaml", ".yml")
TOOLS = frozenset({"node_modules", "site-packages", "dist-packages", "__pycache__", "conda-meta"})
MARKS = frozenset({"pyvenv.cfg", ".trtbuild.json"})
"""Files that say that a folder is a tool's: a virtual environment, a build directory."""


def list_requirements(recipes: Sequence[Path], target: str = "") -> tuple[str, ...]:
    """Return the tools of the locks of recipes as lines of a requirements file.

    Raises:
        MissingFile, UsageError: there is no lock, it cannot be read, it knows no such `target`, or
            two locks ask for two versions of one tool.
    """
    found: dict[str, Path] = {}
    for recipe in recipes:
        lock = read_lock(find_lock(recipe))
        _demand_target(recipe, lock, target)
        found |= {line: recipe for line in write_requirements(lock, target) if line not in found}
    pins: dict[str, str] = {}
    for line, recipe in found.items():
        name, equals, _ = line.partition("==")
        other = pins.setdefault(name, line) if equals and not line.startswith("#") else line
        if other != line:
            raise UsageError(
                f"{find_lock(found[other])} asks for {other}, {find_lock(recipe)} for {line}",
                hint="write the requirements of each recipe, and install them in Pythons apart",
            )
    remarks = [line for line in found if line.startswith("#")]
    return (*sorted(pins.values()), *remarks)


def _demand_target(recipe: Path, lock: Lock, target: str) -> None:
    if target and target not in lock.targets:
        raise UsageError(
            f"{find_lock(recipe)}: has no target `{target}`",
            hint="targets: " + (", ".join(lock.targets) or "none was built"),
        )


def find_locked_recipes(folder: Path) -> tuple[Path, ...]:
    """Return the recipes below a folder that have a lock beside them, sorted.

    Not those in what tools keep there: hidden folders, installed packages, environments of Python,
    build directories, the store.
    """
    return tuple(sorted(_iterate_locked(folder)))


def walk_sources(folder: Path) -> Iterator[tuple[Path, set[str]]]:
    """Yield the folders below one with the names in them, but for what tools keep there."""
    left_out = {os.path.realpath(find_store_root())}
    for place, folders, names in os.walk(folder):
        there = set(names)
        if place != str(folder) and not there.isdisjoint(MARKS):
            folders.clear()
            continue
        folders[:] = [
            name
            for name in folders
            if not (name.startswith(".") or name in TOOLS)
            and os.path.realpath(os.path.join(place, name)) not in left_out  # noqa: PTH118
        ]
        yield Path(place), there


def _iterate_locked(folder: Path) -> Iterator[Path]:
    for place, there in walk_sources(folder):
        for name in there:
            stem, suffix = os.path.splitext(name)  # noqa: PTH122  # text is faster
            if suffix not in SUFFIXES:
                continue
            if f"{stem}.lock" in there:
                yield place / name
            elif any(each.startswith(f"{stem}.") and each.endswith(".lock") for each in there):
                variants = expand_variants([place / name])
                yield from (each for each in variants if find_lock(each).name in there)
