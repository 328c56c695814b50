"""`path/to/file.py:callable` and `package.module:callable`: find the source, load the callable."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingDependency, MissingFile, UsageError

__all__ = ["load_entrypoint", "source_files"]


def split(entrypoint: str) -> tuple[str, str]:
    """Split at the last colon into where the code is and the callable's name."""
    place, colon, name = entrypoint.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise UsageError(
            f"`{entrypoint}` is not an entrypoint",
            hint="write path/to/file.py:callable or package.module:callable",
        )
    return place, name


def source_files(entrypoint: str, base: Path) -> tuple[Path, ...]:
    """Return the source file of an entrypoint, then every module it imports from beside it.

    A path is relative to `base`. Installed packages beyond the entrypoint's own file are not
    followed: their versions are facts, not sources.

    Raises:
        MissingFile: there is no such file or module.
    """
    place, _ = split(entrypoint)
    first = _place(place, base)
    found = [first]
    for file in found:
        found += [other for other in _beside(file) if other not in found]
    return (first, *sorted(found[1:]))


def load_entrypoint(entrypoint: str, base: Path) -> Callable[..., Any]:
    """Import the file or module and return the callable; its own folder is on the import path.

    Raises:
        MissingFile: there is no such file or module.
        UsageError: it holds no such callable.
        MissingDependency: it imports a library that is not installed.
    """
    place, name = split(entrypoint)
    file = _place(place, base)
    try:
        module = _module_from(file) if place.endswith(".py") else importlib.import_module(place)
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"{entrypoint}: it imports `{error.name}`, which is not installed",
            hint=f"pip install {error.name}",
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        raise UsageError(
            f"{entrypoint}: {file.name} has no callable `{name}`",
            hint="callables there: " + (", ".join(_callables(module)) or "none"),
        )
    return found  # type: ignore[no-any-return]


def _place(place: str, base: Path) -> Path:
    if place.endswith(".py"):
        file = base / place
        if not file.is_file():
            raise MissingFile(f"{place}: no such file (looked in {base})")
        return file
    try:
        spec = importlib.util.find_spec(place)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise MissingFile(
            f"{place}: no such module is installed",
            hint="for a file, write its path with .py: path/to/file.py:callable",
        )
    return Path(spec.origin)


def _module_from(file: Path) -> Any:
    folder = str(file.parent.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    # A name of its own keeps a file called `resnet50.py` apart from an installed `resnet50`.
    name = f"_trtbuild_entrypoint_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise MissingFile(f"{file}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _callables(module: Any) -> list[str]:
    mine = getattr(module, "__name__", "")
    return sorted(
        name
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == mine and name[0] != "_"
    )


def _beside(file: Path) -> list[Path]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []  # loading it will say what is wrong
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or ""} | {
                f"{node.module or ''}.{alias.name}".lstrip(".") for alias in node.names
            }
    found = []
    for name in sorted(names - {""}):
        parts = Path(*name.split("."))
        candidates = (
            file.parent / parts.with_suffix(".py"),
            file.parent / parts / "__init__.py",
            file.parent / parts.parts[0] / "__init__.py",
        )
        found += [candidate for candidate in candidates if candidate.is_file()]
    return [path for path in found if path != file]
