"""What was heard of code of the user's, as the words that its step is told by."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject
from trtbuild.core.listening import GONE, CodeListener, describe, list_names
from trtbuild.core.observed import Looker, describe_beside, name_place
from trtbuild.core.provenance import (
    INSTALLED,
    find_distribution,
    is_installed,
    is_ours,
    is_standard,
)

if TYPE_CHECKING:
    from trtbuild.core.user_code import UserCode

__all__ = ["Account", "is_users", "list_constants"]

LONGEST_PATH = 4096
CODE = (".py", ".so", ".pyd")
METADATA = ("METADATA", "RECORD", "PKG-INFO", "entry_points.txt", "top_level.txt", ".pth")


def is_users(file: str) -> bool:
    """Tell whether a file is none of Python's, of a distribution's or of trtbuild's."""
    return bool(file) and not (is_installed(file) or is_standard(file) or is_ours(file))


class Account:
    """What was heard, as words."""

    def __init__(  # what was, before and after
        self,
        code: UserCode,
        listener: CodeListener,
        scratch: Path,
        left_out: frozenset[str],
        start: list[str],
        modules: set[str],
    ) -> None:
        self._code, self._heard = code, listener
        self._known = {each for path in code.known for each in (path, os.path.realpath(path))}
        # A folder that was made and is left may be filled by others.
        made = {f for f in listener.made if f in listener.temporary or describe(f) == GONE}
        own = {*made, str(scratch), os.path.realpath(scratch)}
        self._own = tuple(folder + os.sep for folder in own)
        self._folders = own
        self._left_out = left_out
        self._store = str(scratch.parent.parent)
        self._roots = [root for root in listener.roots if root not in start and is_users(root)]
        self._loaded = {
            name: os.path.abspath(file)  # noqa: PTH100
            for name, module in list(sys.modules.items())
            if name not in modules
            and isinstance(file := getattr(module, "__file__", None), str)
            and not file.startswith("<")
        }

    def demand_unchanged(self) -> None:
        """Demand that each file, and each folder's names, are what they were when first read."""
        for path, state in sorted(self._heard.files.items()):
            if path in self._heard.written or self._is_own(path):
                continue
            if path in self._heard.changed or describe(path) != state:
                raise CorruptObject(f"{path}: was changed while it was read", hint="run it again")
        for folder, names in sorted(self._heard.listings.items()):
            moved = set(names.split("\0")) ^ set(list_names(folder).split("\0"))
            moved = {each.partition("/")[0] for each in moved}
            if not self._is_own(folder) and any(self._is_others(folder, name) for name in moved):
                raise CorruptObject(
                    f"{folder}: what lies in it changed while it was listed", hint="run it again"
                )

    def _is_others(self, folder: str, name: str) -> bool:
        """Tell whether a name in a folder came or went by another's hand than the code's."""
        path = os.path.join(folder, name)  # noqa: PTH118
        heard = self._heard
        mine = path in heard.written or path in heard.made or path in heard.temporary
        return bool(name) and name != "__pycache__" and not mine and not self._is_own(path)

    def words(self, variables: Iterable[str]) -> dict[str, str]:
        """Return the words for all that was heard, variables too, and what it is now."""
        sources = {file for file in self._loaded.values() if is_users(file)}
        heard = {*self._heard.files, *self._native(), *sources}
        opened = {file for file in heard if not self._is_own(file)} - self._known
        files = {file for file in opened if not is_installed(file) or _is_loose(file)}
        names = {*self._heard.modules, *_list_imported({*sources, *self._code.known})}
        words = dict(self._code.declared())
        words |= dict.fromkeys(f"environment {name}" for name in variables)
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
        words |= dict.fromkeys(self._more_asked(files))
        foreign = names - sys.stdlib_module_names
        words |= dict.fromkeys(f"module {name}" for name in foreign)
        if names:
            beside = (describe_beside(self._name(root), names) for root in self._roots)
            words |= dict.fromkeys(beside)
        words |= dict.fromkeys(self._beside_inner())
        return Looker(Path(self._code.base), digest=digest_of_file).look_all(words)

    def _more_asked(self, files: set[str]) -> Iterator[str]:
        """Yield the words for what was asked of paths beside whether they are there."""
        heard = self._heard
        asked = {
            "size": heard.sizes - files - self._known,
            "time": heard.times,
            "link": heard.links,
            "mode": heard.modes,
        }
        every = [(what, path) for what, paths in asked.items() for path in paths]
        for access in heard.accesses:
            letters, _, path = access.partition(" ")
            every.append((f"access {letters}", path))
        for what, path in every:
            if not is_installed(path) and not self._is_own(path) and not self._holds(path):
                yield f"{what} {self._name(path)}"

    def _beside_inner(self) -> Iterator[str]:
        """Yield the words for where modules in packages of the user's were looked for."""
        sought: dict[str, set[str]] = {}
        for full in self._heard.inner:
            package, _, name = full.rpartition(".")
            for folder in getattr(sys.modules.get(package), "__path__", ()):
                if isinstance(folder, str) and is_users(folder):
                    sought.setdefault(folder, set()).add(name)
        for folder, names in sought.items():
            yield describe_beside(self._name(folder), names)

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
    """Tell whether no distribution has brought a file that lies among those of distributions."""
    return not file.endswith(METADATA) and ".dist-info" not in file and not _bring(file)


def _bring(file: str) -> str:
    """Return the distribution that has brought an installed file."""
    parts = Path(file).parts
    at = max(index for index, part in enumerate(parts) if part in INSTALLED)
    return find_distribution(parts[at + 1].partition(".")[0], file)


def _list_imported(files: Iterable[str]) -> Iterator[str]:
    """Yield what files of Python import, whether that ran or not."""
    for file in files:
        tree = _parse(file)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.partition(".")[0]


def list_constants(path: str) -> Iterator[str]:
    """Yield each text in a file of Python that may be a path."""
    tree = _parse(path)
    for node in ast.walk(tree) if tree is not None else ():
        text = node.value if isinstance(node, ast.Constant) else ""
        if isinstance(text, str) and os.sep in text and "\0" not in text:
            yield text[:LONGEST_PATH]


def _parse(file: str) -> ast.Module | None:
    if not file.endswith(".py") or is_installed(file):
        return None
    try:
        return ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
