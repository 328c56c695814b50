"""Run code of the user's so that all it rests on is known: an ingredient, or a caution."""

import contextlib
import importlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.frozen import frozen
from trtbuild.core.provenance import (
    is_installed,
    list_import_roots,
)
from trtbuild.core.words import join_few

if TYPE_CHECKING:
    from trtbuild.core.listening import CodeListener

__all__ = ["Observed", "UserCode", "explain_withheld", "watch_user_code"]

MOST = 5
COMPILED = (".pyc", ".pyo")
NETWORK, PROGRAMS = "reads the network", "starts programs"
LOST = "reads more files at once than the kernel tells of"
SPAWNED = frozenset({"multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"})
"""What is loaded when a process is started that nobody listens to, and that no event tells of."""
UNSEEN = "is not part of the build's digest"


@frozen
class UserCode:
    """What a step says of the user's code that it runs."""

    base: str
    """The folder that names of files relate to: the recipe's."""
    known: tuple[str, ...] = ()
    """Files that are ingredients by themselves."""
    files: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()

    options: Mapping[str, Any] = field(default_factory=dict)
    """What it is called with: it may name files and folders."""

    def list_places(self) -> list[str]:
        """Return the folders where it is likely to read: the recipe's, its own, those it names."""
        own = [os.path.dirname(path) for path in self.known if not is_installed(path)]  # noqa: PTH120
        folders = list(dict.fromkeys([self.base, *own]))
        names = [*self._texts(), *self.files]
        named = [os.path.normpath(os.path.join(f, name)) for f in folders for name in names]  # noqa: PTH118
        places = [*folders, *(place for place in named if os.path.isdir(place))]  # noqa: PTH112
        return [place for place in dict.fromkeys(places) if place != os.path.dirname(place)]  # noqa: PTH120

    def _texts(self) -> list[str]:
        return list(_iterate_texts(self.options))

    def list_near(self) -> list[str]:
        """Return the folders of the files that options, or texts in its code, name."""
        from trtbuild.core.heard import list_constants

        near = []
        for path in self.known:
            for name in (*self._texts(), *list_constants(path)):
                for base in (self.base, os.path.dirname(path)):  # noqa: PTH120
                    named = os.path.normpath(os.path.join(base, name))  # noqa: PTH118
                    near.append(os.path.dirname(named) if os.path.isfile(named) else named)  # noqa: PTH113, PTH120
        return [each for each in dict.fromkeys(near) if os.path.isdir(each)]  # noqa: PTH112

    def declared(self) -> dict[str, None]:
        """Return the words for what is declared."""
        from trtbuild.core.observed import list_declared

        words = [word for name in self.files for word in list_declared(name, Path(self.base))]
        return dict.fromkeys([*words, *(f"environment {name}" for name in self.environment)])


def _iterate_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _iterate_texts(each)


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
    from trtbuild.core.environment import withhold_variables
    from trtbuild.core.heard import Account
    from trtbuild.core.listening import CodeListener, listening

    found = Observed()
    start, taken = list_import_roots(), set[str]()
    path, modules = list(sys.path), set(sys.modules)
    listener = CodeListener(scratch / "heard.jsonl")
    for place in code.list_places():
        listener.native.watch_tree(place)
    for place in code.list_near():
        listener.native.watch(place)
    try:
        with _reading_sources(), withhold_variables(code.environment, taken) as asked:
            try:
                with listening(listener):
                    yield found
            finally:
                found.withheld = tuple(sorted(asked))
        account = Account(code, listener, scratch, frozenset(left_out), start, modules)
        account.demand_unchanged()
        found.words = account.words(taken)
    finally:
        sys.path[:] = path
        _forget(set(sys.modules) - modules)
        importlib.invalidate_caches()
    found.notes, found.cautions = _tell(listener)


@contextlib.contextmanager
def _reading_sources() -> Iterator[None]:
    """Have modules of the user's compiled anew: compiled ones are told apart by whole seconds."""
    from trtbuild.core.heard import is_users

    loader: Any = SourceFileLoader
    before, written = loader.get_data, sys.dont_write_bytecode

    def get_data(self: Any, path: str) -> Any:
        if path.endswith(COMPILED) and is_users(path):
            raise OSError(path)
        return before(self, path)

    loader.get_data = get_data
    try:
        yield
    finally:
        loader.get_data, sys.dont_write_bytecode = before, written


def _forget(names: Iterable[str]) -> None:
    # All are found before one goes: a namespace package asks its parent for where it lies.
    from trtbuild.core.heard import is_users

    found = {name: _find_file(sys.modules.get(name)) for name in names}
    for name, file in found.items():
        if isinstance(file, str) and is_users(file):
            del sys.modules[name]


def _find_file(module: Any) -> Any:
    return getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")


def _tell(listener: "CodeListener") -> tuple[tuple[str, ...], tuple[str, ...]]:
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
    if listener.native.lost:
        cautions.append(LOST)
        notes.append(f"{LOST}: declare what its code reads under `files:`")
    if listener.native.unwatched:
        notes.append(
            "beside its code are more folders than can be watched: what libraries of C read in the "
            f"others {UNSEEN}, unless `files:` declares it"
        )
    return tuple(notes), tuple(cautions)


def explain_withheld(names: Collection[str]) -> str:
    """Say which variables were asked for in vain, and what to do."""
    return (
        f"its code asked for {join_few(sorted(names), MOST)} of the environment, which it is not "
        "given: declare it under `environment:`"
    )
