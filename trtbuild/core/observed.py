"""What user code was seen to rest on: words that name each thing, and what it is now.

A word is told again wherever its recipe lies: paths in it relate to the recipe's folder.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    BuiltinImporter,
    PathFinder,
)
from pathlib import Path
from typing import Any

from trtbuild.core.asking import ACCESS
from trtbuild.core.digest import PREFIX, digest_of_bytes, digest_of_tree
from trtbuild.core.entries import list_entries
from trtbuild.core.errors import MissingFile
from trtbuild.core.facts import peek_version
from trtbuild.core.provenance import is_installed, is_standard, list_import_roots
from trtbuild.core.watch import note_path, note_variable

__all__ = [
    "ABSENT",
    "INSTALLED",
    "NO_MODULE",
    "Looker",
    "describe_beside",
    "list_declared",
    "name_place",
    "place_of",
]

ABSENT = "absent"
NOT_INSTALLED = "not installed"
INSTALLED = "installed"
"""What a module is that is found where packages are: they have versions, which are looked at."""
NO_MODULE = "nothing"
"""What a module is that is found nowhere."""
RAW = "bytes:"
DIGITS = 24
"""Of the digest of many names; the rest of it would only be in the way of reading."""
ENDINGS = (*EXTENSION_SUFFIXES, *SOURCE_SUFFIXES, *BYTECODE_SUFFIXES)
"""Of modules, in the order in which Python looks for them."""
STATE, CACHES = ".trtbuild.json", ("__pycache__", ".git")


def name_place(path: str, base: str) -> str:
    """Write a path from the recipe's folder on, or whole where the two have nothing in common."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return RAW + os.fsencode(path).hex()
    whole = os.path.normpath(path)
    if ".." in Path(path).parts and os.path.realpath(whole) != os.path.realpath(path):
        return path  # behind a link, `..` is not the folder above
    shared = os.path.commonpath([whole, base])
    if shared == os.path.dirname(shared) or os.path.expanduser("~").startswith(shared):  # noqa: PTH111, PTH120
        return whole
    return Path(os.path.relpath(whole, base)).as_posix()


def place_of(name: str, base: str) -> str:
    """Return the path that a name stands for."""
    if name.startswith(RAW):
        return os.fsdecode(bytes.fromhex(name.removeprefix(RAW)))
    return os.path.normpath(os.path.join(base, name)) if not os.path.isabs(name) else name  # noqa: PTH117, PTH118


def list_declared(name: str, base: Path) -> list[str]:
    """Return the words for a file that a recipe declares, or for a folder and all that is in it."""
    root = os.path.normpath(os.path.join(base, name))  # noqa: PTH118
    if not os.path.isdir(root):  # noqa: PTH112
        return [f"file {name_place(root, str(base))}"]
    found = []
    for folder, inner, files in os.walk(root):
        inner[:] = sorted(each for each in inner if each not in CACHES)
        found.append(f"folder {name_place(folder, str(base))}")
        found += [f"file {name_place(os.path.join(folder, f), str(base))}" for f in files]  # noqa: PTH118
    return found


def describe_beside(folder: str, names: Iterable[str]) -> str:
    """Write the word for which of these modules a folder holds: the first on the path wins."""
    return f"beside {folder}: {' '.join(sorted(names))}"


class Looker:
    """Says what things are now, by the words for them."""

    def __init__(
        self, base: Path, *, digest: Callable[[Path], str], facts: Mapping[str, str] | None = None
    ) -> None:
        self._base = str(base)
        self._digest = digest
        # Not `facts or`: those that nobody has asked for yet are empty.
        self._facts = {} if facts is None else facts

    def look(self, word: str) -> str:
        """Return what a word stands for now: a digest, a version, `absent`."""
        kind, _, name = word.partition(" ")
        looks: dict[str, Callable[[str], str]] = {
            "file": self._file,
            "folder": self._folder,
            "path": self._path,
            "size": lambda name: self._state(name, lambda seen: f"{seen.st_size} bytes"),
            "time": lambda name: self._state(name, lambda seen: f"{seen.st_mtime_ns} ns"),
            "link": self._link,
            "access": self._access,
            "mode": lambda name: self._state(name, lambda seen: f"{seen.st_mode & 0o7777:o}"),
            "package": lambda name: peek_version(self._facts, name) or NOT_INSTALLED,
            "module": self._module,
            "beside": self._beside,
            "environment": _variable,
        }
        return looks[kind](name) if kind in looks else "not known to this trtbuild"

    def look_all(self, words: Iterable[str]) -> dict[str, str]:
        """Return what each word stands for now."""
        return {word: self.look(word) for word in sorted(words)}

    def _file(self, name: str) -> str:
        path = place_of(name, self._base)
        found = self._path(name)
        if found != "file":
            return found
        try:
            return self._digest(Path(path))
        except MissingFile:
            return ABSENT

    def _path(self, name: str) -> str:
        path = place_of(name, self._base)
        note_path(path)
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116
        except (OSError, ValueError):
            return ABSENT
        if stat.S_ISDIR(mode):
            return "folder"
        return "file" if stat.S_ISREG(mode) else "neither file nor folder"

    def _state(self, name: str, tell: Callable[[os.stat_result], str]) -> str:
        path = place_of(name, self._base)
        note_path(path)
        try:
            return tell(os.stat(path))  # noqa: PTH116
        except (OSError, ValueError):
            return ABSENT

    def _link(self, name: str) -> str:
        path = place_of(name, self._base)
        note_path(path)
        try:
            target = os.fsencode(os.readlink(path))  # noqa: PTH115
        except (OSError, ValueError):
            return "no link" if os.path.lexists(path) else ABSENT
        return f"-> {target.decode(errors='backslashreplace')}"

    def _folder(self, name: str) -> str:
        place = place_of(name, self._base)
        try:
            entries = list_entries(place)
        except (OSError, ValueError):
            return ABSENT
        told = [_write_name(entries[each]) for each in _keep_foreign(sorted(entries))]
        return f"{len(told)} names ({digest_of_tree(told)[len(PREFIX) :][:DIGITS]})"

    def _access(self, text: str) -> str:
        letters, _, name = text.partition(" ")
        path = place_of(name, self._base)
        note_path(path)
        if not os.path.exists(path):  # noqa: PTH110
            return ABSENT
        return "yes" if os.access(path, sum(ACCESS[each] for each in letters)) else "no"

    def _beside(self, text: str) -> str:
        folder, _, names = text.rpartition(": ")
        place = place_of(folder, self._base)
        there = set(list_names(place) or ())
        found = (_find_form(place, there, each) for each in names.split())
        return " ".join(each for each in found if each) or "none"

    def _module(self, name: str) -> str:
        roots = list_import_roots()
        for root in roots:
            note_path(root)
        spec = _find_spec(name, roots)
        if spec is None:
            return NO_MODULE
        origin = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
        if not os.path.isabs(origin) or is_installed(origin) or is_standard(origin):  # noqa: PTH117
            return INSTALLED
        return name_place(origin, self._base)


def _find_form(place: str, there: Collection[str], name: str) -> str:
    """Return as what a folder holds a module, in the order in which Python looks."""
    package = os.path.join(place, name, "__init__")  # noqa: PTH118
    if name in there:
        for ending in ENDINGS:
            note_path(package + ending)
            if os.path.exists(package + ending):  # noqa: PTH110
                return f"{name}/__init__{ending}"
    alone = (name + ending for ending in ENDINGS if name + ending in there)
    return next(alone, name if name in there else "")


def list_names(folder: str) -> list[str] | None:
    """Return the sorted names in a folder, but for caches and what trtbuild leaves there itself."""
    try:
        entries = sorted(os.listdir(folder))  # noqa: PTH208
    except (OSError, ValueError):
        return None
    return [_write_name(each) for each in _keep_foreign(entries)]


def _keep_foreign(entries: list[str]) -> list[str]:
    """Leave out caches, and what trtbuild leaves itself."""
    if STATE in entries:
        return []
    stems = {os.path.splitext(name)[0] for name in entries if name.endswith((".yaml", ".yml"))}  # noqa: PTH122
    return [
        name
        for name in entries
        if name not in CACHES and not (name.endswith(".lock") and name[:-5] in stems)
    ]


def _write_name(name: str) -> str:
    """Write a name as text, whatever its bytes."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _find_spec(name: str, roots: list[str]) -> Any:
    try:
        found = PathFinder.find_spec(name, roots)
        if found is not None or name in sys.builtin_module_names:
            return found or BuiltinImporter.find_spec(name)
        others = [each for each in sys.meta_path if "editable" in f"{each!r} {type(each)}".lower()]
        specs = (finder.find_spec(name, None) for finder in others)
        return next((spec for spec in specs if spec is not None), None)
    except (ImportError, ValueError, AttributeError, OSError):
        return None


def _variable(name: str) -> str:
    note_variable(name)
    value = os.environ.get(name)
    return "not set" if value is None else digest_of_bytes(os.fsencode(value))
