"""Run code of the user's so that all it rests on is known: an ingredient, or a caution."""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from trtbuild.core.digest import digest_of_file
from trtbuild.core.environment import withhold_variables
from trtbuild.core.errors import CorruptObject
from trtbuild.core.listening import GONE, Listener, describe, listening
from trtbuild.core.observed import Looker, describe_beside, list_declared, name_place
from trtbuild.core.options import Location, Options
from trtbuild.core.provenance import (
    INSTALLED,
    find_distribution,
    is_installed,
    is_ours,
    is_standard,
    list_import_roots,
)
from trtbuild.core.words import join_few

__all__ = ["Observed", "UserCode", "explain_withheld", "watch_user_code"]

MOST = 5
COMPILED = (".pyc", ".pyo")
CODE = (".py", ".so", ".pyd")
METADATA = ("METADATA", "RECORD", "PKG-INFO", "entry_points.txt", "top_level.txt", ".pth")
NETWORK, PROGRAMS = "reads the network", "starts programs"
SPAWNED = frozenset({"multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"})
"""What is loaded when a process is started that nobody listens to, and that no event tells of."""
UNSEEN = "is not part of the build's digest"


class UserCode(Options):
    """What a step says of the user's code that it runs."""

    base: Location
    """The folder that names of files relate to: the recipe's."""
    known: tuple[Location, ...] = ()
    """Files that are ingredients by themselves."""
    files: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()

    options: dict[str, Any] = {}
    """What it is called with: it may name files and folders."""

    def list_places(self) -> list[str]:
        """Return the folders where it is likely to read: the recipe's, its own, those it names."""
        own = [os.path.dirname(path) for path in self.known if not is_installed(path)]  # noqa: PTH120
        folders = list(dict.fromkeys([self.base, *own]))
        names = [each for each in (*self.options.values(), *self.files) if isinstance(each, str)]
        named = [os.path.normpath(os.path.join(f, name)) for f in folders for name in names]  # noqa: PTH118
        places = [*folders, *(place for place in named if os.path.isdir(place))]  # noqa: PTH112
        return [place for place in dict.fromkeys(places) if place != os.path.dirname(place)]  # noqa: PTH120

    def declared(self) -> dict[str, None]:
        """Return the words for what is declared."""
        words = [word for name in self.files for word in list_declared(name, Path(self.base))]
        return dict.fromkeys([*words, *(f"environment {name}" for name in self.environment)])


@dataclass
class Observed:
    """What was seen, filled in when the code has ended."""

    words: dict[str, str] = field(default_factory=dict)
    """What it rests on, and what that was."""
    withheld: tuple[str, ...] = ()
    """Variables that it asked for, and was not given."""
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    """In a few words, what it does that cannot be followed."""


@contextlib.contextmanager
def watch_user_code(
    code: UserCode, *, scratch: Path, left_out: Iterable[str]
) -> Iterator[Observed]:
    """Watch what happens in the block; what lies in `scratch`, or is `left_out`, is not the user's.

    What was put on the import path, and modules of the user's, are forgotten at the end.

    Raises:
        CorruptObject: a file was changed while it was read.
    """
    found = Observed()
    start = list_import_roots()
    path, modules = list(sys.path), set(sys.modules)
    listener = Listener(scratch / "heard.jsonl")
    for place in code.list_places():
        listener.native.watch_tree(place)
    try:
        with _reading_sources(), withhold_variables(code.environment) as asked:
            try:
                with listening(listener):
                    yield found
            finally:
                found.withheld = tuple(sorted(asked))
        account = _Account(code, listener, scratch, frozenset(left_out), start, modules)
        account.demand_unchanged()
        found.words = account.words()
    finally:
        sys.path[:] = path
        _forget(set(sys.modules) - modules)
        importlib.invalidate_caches()
    found.notes, found.cautions = _tell(listener)


@contextlib.contextmanager
def _reading_sources() -> Iterator[None]:
    """Have modules of the user's compiled anew: compiled ones are told apart by whole seconds."""
    loader: Any = SourceFileLoader
    before, written = loader.get_data, sys.dont_write_bytecode

    def get_data(self: Any, path: str) -> Any:
        if path.endswith(COMPILED) and _is_users(path):
            raise OSError(path)
        return before(self, path)

    loader.get_data = get_data
    try:
        yield
    finally:
        loader.get_data, sys.dont_write_bytecode = before, written


def _forget(names: Iterable[str]) -> None:
    for name in names:
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        if _is_users(file):
            del sys.modules[name]


def _is_users(file: str) -> bool:
    return bool(file) and not (is_installed(file) or is_standard(file) or is_ours(file))


def _tell(listener: Listener) -> tuple[tuple[str, ...], tuple[str, ...]]:
    notes, cautions = [], []
    if listener.hosts:
        cautions.append(NETWORK)
        hosts = join_few(sorted(listener.hosts), MOST)
        notes.append(f"{NETWORK} ({hosts}): what it got from there {UNSEEN}")
    if SPAWNED.intersection(sys.modules):
        listener.programs.add("python")
    if listener.programs:
        cautions.append(PROGRAMS)
        names = join_few(sorted(listener.programs), MOST)
        notes.append(f"{PROGRAMS} ({names}): what they read {UNSEEN}")
    return tuple(notes), tuple(cautions)


def explain_withheld(names: Collection[str]) -> str:
    """Say which variables were asked for in vain, and what to do."""
    return (
        f"its code asked for {join_few(sorted(names), MOST)} of the environment, which it is not "
        "given: declare it under `environment:`"
    )


class _Account:
    """What was heard, as words."""

    def __init__(  # what was, before and after
        self,
        code: UserCode,
        listener: Listener,
        scratch: Path,
        left_out: frozenset[str],
        start: list[str],
        modules: set[str],
    ) -> None:
        self._code, self._heard = code, listener
        self._known = {each for path in code.known for each in (path, os.path.realpath(path))}
        own = {*listener.made, str(scratch), os.path.realpath(scratch)}
        self._own = tuple(folder + os.sep for folder in own)
        self._folders = own
        self._left_out = left_out
        self._store = str(scratch.parent.parent)
        self._roots = [root for root in listener.roots if root not in start and _is_users(root)]
        self._loaded = {
            name: os.path.abspath(file)  # noqa: PTH100
            for name, module in list(sys.modules.items())
            if name not in modules
            and isinstance(file := getattr(module, "__file__", None), str)
            and not file.startswith("<")
        }

    def demand_unchanged(self) -> None:
        """Demand that each file is what it was when it was opened."""
        for path, state in sorted(self._heard.files.items()):
            if path in self._heard.written or self._is_own(path):
                continue
            if path in self._heard.changed or describe(path) != state:
                raise CorruptObject(f"{path}: was changed while it was read", hint="run it again")

    def words(self) -> dict[str, str]:
        """Return the words for all that was heard, and what it is now."""
        sources = {file for file in self._loaded.values() if _is_users(file)}
        heard = {*self._heard.files, *self._native(), *sources}
        opened = {file for file in heard if not self._is_own(file)} - self._known
        files = {file for file in opened if not is_installed(file) or _is_loose(file)}
        names = {*self._heard.modules, *_list_imported({*sources, *self._code.known})}
        words = dict(self._code.declared())
        words |= dict.fromkeys(f"file {self._name(path)}" for path in files)
        theirs = {f for f in opened if is_installed(f) and not f.endswith((*CODE, *METADATA))}
        theirs |= {f for f in self._known if is_installed(f)}
        words |= dict.fromkeys(f"package {name}" for name in map(_bring, theirs) if name)
        words |= dict.fromkeys(f"package {each}" for each in map(self._owner, names) if each)
        folders = {path for path in self._heard.folders if not self._is_own(path)}
        words |= dict.fromkeys(f"folder {self._name(path)}" for path in folders)
        asked_near = {path for path in self._heard.asked_by_others if self._is_near(path)}
        asked = (self._heard.asked | asked_near) - files - folders - self._known
        words |= dict.fromkeys(
            f"path {self._name(path)}"
            for path in asked
            if not is_installed(path) and not self._is_own(path) and not self._holds(path)
        )
        foreign = names - sys.stdlib_module_names
        words |= dict.fromkeys(f"module {name}" for name in foreign)
        if names:
            beside = (describe_beside(self._name(root), names) for root in self._roots)
            words |= dict.fromkeys(beside)
        return Looker(Path(self._code.base), digest=digest_of_file).look_all(words)

    def _native(self) -> set[str]:
        """Return the files that were read without Python's knowledge."""
        store = self._store + os.sep
        return {
            path
            for path in self._heard.native.opened - self._heard.written - {*self._heard.files}
            if not path.startswith(store) and os.path.isfile(path)  # noqa: PTH113
        }

    def _is_near(self, path: str) -> bool:
        return any(path.startswith(place + os.sep) for place in self._code.list_places())

    def _name(self, path: str) -> str:
        return name_place(path, self._code.base)

    def _holds(self, path: str) -> bool:
        """Tell whether the recipe lies in a folder: then it is there."""
        return f"{self._code.base}{os.sep}".startswith(path.rstrip(os.sep) + os.sep)

    def _is_own(self, path: str) -> bool:
        """Tell whether the step made a file itself, or it is known anyway."""
        if path in self._left_out or path in self._folders or path.startswith(self._own):
            return True
        return path in self._heard.written and describe(path) == GONE

    def _owner(self, name: str) -> str:
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")
        return find_distribution(name, file) if file and is_installed(file) else ""


def _is_loose(file: str) -> bool:
    """Tell whether no distribution has brought a module that lies among those of distributions."""
    return file.endswith(CODE) and not _bring(file)


def _bring(file: str) -> str:
    """Return the distribution that has brought an installed file."""
    parts = Path(file).parts
    at = max(index for index, part in enumerate(parts) if part in INSTALLED)
    return find_distribution(parts[at + 1].partition(".")[0], file)


def _list_imported(files: Iterable[str]) -> Iterator[str]:
    """Yield what files of Python import, whether that ran or not."""
    for file in files:
        if not file.endswith(".py") or is_installed(file):
            continue
        try:
            tree = ast.parse(Path(file).read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.partition(".")[0]
