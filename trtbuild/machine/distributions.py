"""Which distribution a module comes from, where there are several that bring it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from trtbuild.core.frozen import frozen

__all__ = [
    "MODULES",
    "PathFolder",
    "explain_overlap",
    "find_version",
    "normalize_name",
    "read_folder",
]

MODULES = {"onnxruntime": ("onnxruntime",), "tensorrt": ("tensorrt", "tensorrt_bindings")}
"""What does the work of a distribution: one of these modules, the first that anybody brings."""
EMPTY = frozenset({"tensorrt"})
"""Those that bring nothing themselves, and pin the one that does."""
AND = " and "
_MODULES = frozenset(name for names in MODULES.values() for name in names)
_OWN_WORDS = "capi/build_and_package_info.py"
"""Where ONNX Runtime says which of its distributions it is."""
_ASSIGNED = re.compile(r"(?m)^(\w+) = ['\"]([^'\"]*)['\"]")
_SUFFIXES = (".dist-info", ".egg-info")


class Distribution(NamedTuple):
    """What the name of a metadata folder says."""

    version: str
    metadata: str


@frozen
class PathFolder:
    """A folder on the import path, and what is installed in it, by normalized name."""

    path: str
    installed: dict[str, Distribution]
    modules: frozenset[str]
    """Those of `MODULES` that are there."""


def read_folder(path: str) -> PathFolder:
    """Look into a folder of the import path, which need not be there."""
    try:
        entries = os.listdir(path or ".")  # noqa: PTH208  # twice as fast as Path.iterdir
    except OSError:
        entries = []
    found = (_distribution(each) for each in sorted(entries) if each.endswith(_SUFFIXES))
    return PathFolder(path, dict(reversed([*found])), _MODULES.intersection(entries))


def _distribution(metadata: str) -> tuple[str, Distribution]:
    name, _, version = metadata.rpartition(".")[0].partition("-")
    return normalize_name(name), Distribution(version.partition("-py")[0] or "0", metadata)


def normalize_name(name: str) -> str:
    """Return the one spelling of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_version(name: str, folders: Iterable[PathFolder]) -> str | None:
    """Return the version of a distribution; where others bring its module, their names as well.

    As for an import, the first folder wins. Metadata is read only where the names of what is
    installed leave open who brings the module: nearly always they do not.
    """
    for folder in folders:
        found = _found(name, folder)
        if found:
            return found
    return None


def explain_overlap(name: str, fact: str) -> str:
    """Say what is wrong with the fact of a distribution; nothing where nothing is."""
    return (
        f"{fact} are installed, and overwrite each other's files: which `{name}` runs is not "
        "known; uninstall all of them, then install one"
        if AND in fact
        else ""
    )


def _found(name: str, folder: PathFolder) -> str:
    plain = folder.installed.get(name)
    if name not in MODULES:
        return "" if plain is None else plain.version
    others = [each for each in folder.installed if each.startswith(f"{name}-")]
    if plain is not None and not others:
        return plain.version
    owners = _owners(name, folder, [*([] if plain is None else [name]), *others])
    if not owners and plain is None and folder.modules & {*MODULES[name]}:
        owners = _owners(name, folder, folder.installed)
    if len(owners) > 1 and (last := _read_own_words(name, folder)):
        owners = [
            each for each in owners if last == (each, folder.installed[each].version)
        ] or owners
    if plain is not None and (owners in ([], [name]) or (name in EMPTY and len(owners) == 1)):
        return plain.version
    return AND.join(f"{each} {folder.installed[each].version}" for each in sorted(owners))


def _owners(name: str, folder: PathFolder, candidates: Iterable[str]) -> list[str]:
    candidates = list(candidates)
    for module in MODULES[name]:
        start = f"{module}/__init__.py,".encode()
        owners = [each for each in candidates if _lists(folder, each, start)]
        if owners:
            return owners
    return []


def _read_own_words(name: str, folder: PathFolder) -> tuple[str, str] | None:
    """Return the name and version that a module says it is of, where it does.

    Of several distributions that overwrite each other that is the one installed last.
    """
    path = os.path.join(folder.path, name, _OWN_WORDS)  # noqa: PTH118
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            words = dict(_ASSIGNED.findall(file.read()))
    except (OSError, ValueError):
        return None
    return normalize_name(words.get("package_name", "")), words.get("__version__", "")


def _lists(folder: PathFolder, name: str, start: bytes) -> bool:
    """Tell whether the files of a distribution are among those that it was installed with."""
    record = os.path.join(folder.path, folder.installed[name].metadata, "RECORD")  # noqa: PTH118
    try:
        with open(record, "rb") as lines:  # noqa: PTH123
            return any(line.startswith(start) for line in lines)
    except OSError:
        return name in MODULES  # without a list, a name is what there is to go by
