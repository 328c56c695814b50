"""`path/to/file.py:callable` and `package.module:callable`: find the source, load the callable."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from trtbuild.core.errors import (
    MissingDependency,
    MissingFile,
    StepInputError,
    TrtbuildError,
    UsageError,
)
from trtbuild.core.watch import note_path
from trtbuild.core.words import describe_cause

__all__ = ["explain_errors", "find_source_files", "load_entrypoint", "pass_on_stops"]

INSTALLED = {"site-packages", "dist-packages"}
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""Where a statement has others."""


def split_entrypoint(entrypoint: str) -> tuple[str, str]:
    """Split at the last colon into where the code is and the callable's name."""
    place, colon, name = entrypoint.rpartition(":")
    parts = place.removesuffix(".py").split(".") if not place.endswith(".py") else ["file"]
    if not colon or not name.isidentifier() or not all(part.isidentifier() for part in parts):
        raise UsageError(
            f"`{entrypoint}` is not an entrypoint",
            hint="write path/to/file.py:callable or package.module:callable",
        )
    return place, name


def find_source_files(entrypoint: str, base: Path) -> tuple[Path, ...]:
    """Return the source file of an entrypoint, then every module it imports from beside it.

    A path is relative to `base`. Nothing is imported. What only runs by name
    (`importlib.import_module(variable)`) or is read as data is not seen; neither are installed
    packages beyond the entrypoint's own file: their versions are facts, not sources.

    Raises:
        MissingFile: there is no such file or module.
        UsageError: the entrypoint is malformed.
    """
    place, _ = split_entrypoint(entrypoint)
    first, root = _find(place, base)
    found = [first]
    if not INSTALLED & set(root.parts):
        if not place.endswith(".py"):
            found += _on_the_way(root, place.split("."))
        for file in found:
            found += [other for other in _find_imported(file, root) if other not in found]
    return (first, *sorted({*found} - {first}))


def load_entrypoint(entrypoint: str, base: Path) -> Callable[..., Any]:
    """Import the file or module and return the callable; its own folder is on the import path.

    Modules beside it are read anew each time, so neither an edit nor another folder's module of
    the same name is mistaken for them.

    Raises:
        MissingFile: there is no such file or module.
        UsageError: it is malformed, cannot be imported, or holds no such callable.
        MissingDependency: it imports a library that is not installed.
    """
    place, name = split_entrypoint(entrypoint)
    file, root = _find(place, base)
    _forget(find_source_files(entrypoint, base), root)
    try:
        module = _run(file, root) if place.endswith(".py") else importlib.import_module(place)
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        raise MissingDependency(
            f"{entrypoint}: it imports `{error.name}`, which is not installed",
            hint=f"pip install {library}, or put {library}.py beside {file.name}",
        ) from error
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}"
        raise UsageError(
            f"{entrypoint}: {where}: {error.msg}", hint=f"python {file} says more"
        ) from error
    except BaseException as error:
        pass_on_stops(error)
        raise UsageError(
            f"{entrypoint}: importing it fails: {describe_cause(error)}",
            hint=f"python {file} says more",
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        raise UsageError(
            f"{entrypoint}: {file.name} has no callable `{name}`",
            hint="callables there: " + (", ".join(_callables(module)) or "none"),
        )
    return found  # type: ignore[no-any-return]


def pass_on_stops(error: BaseException) -> None:
    """Raise again what asks this process to stop; all else that code raises is its own error."""
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise error


@contextlib.contextmanager
def explain_errors(
    place: str, files: Sequence[Path], packages: Sequence[str] = ()
) -> Iterator[None]:
    """Turn what code of the user's raises into an error that says where.

    `files` are the user's; where none of them is on the way, `place` stands for the line.
    `packages` are those that the recipe says it needs.

    Raises:
        StepInputError: it raised something; the traceback goes to the log.
        MissingDependency: it imports what is not installed.
    """
    try:
        yield
    except TrtbuildError:
        raise
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"{place}: it imports `{error.name}`, which is not installed",
            hint="pip install " + " ".join(packages or (str(error.name),)),
        ) from error
    except BaseException as error:
        pass_on_stops(error)
        raise _explain_raised(error, place, files) from error


def _explain_raised(error: BaseException, place: str, files: Sequence[Path]) -> StepInputError:
    import logging

    logging.getLogger(__name__).error("%s failed", place, exc_info=error)
    where = _find_line(error, files) or place
    return StepInputError(f"{where}: {describe_cause(error)}", hint="the log holds the traceback")


def _find_line(error: BaseException, files: Sequence[Path]) -> str:
    """Return `file:line` of the innermost of the user's own lines."""
    known = {os.path.realpath(path): path for path in files}
    found, at = "", error.__traceback__
    while at is not None:
        path = known.get(os.path.realpath(at.tb_frame.f_code.co_filename))
        found = f"{path}:{at.tb_lineno}" if path else found
        at = at.tb_next
    return found


def _find(place: str, base: Path) -> tuple[Path, Path]:
    """Return the source file, and the folder that imports in it start from."""
    if place.endswith(".py"):
        file = base / place
        if not file.is_file():
            raise MissingFile(f"{place}: no such file (looked in {base})")
        return file, file.parent
    top, *inner = place.split(".")
    try:
        spec = importlib.util.find_spec(top)  # of `top` alone: more would run its __init__
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise _no_module(place)
    if spec.submodule_search_locations is None:
        if inner or not spec.has_location:
            raise _no_module(place)
        return Path(str(spec.origin)), Path(str(spec.origin)).parent
    for folder in spec.submodule_search_locations:
        for file in _as_module(Path(folder), inner):
            return file, Path(folder).parent
    raise _no_module(place)


def _no_module(place: str) -> MissingFile:
    return MissingFile(
        f"{place}: no such module is installed",
        hint="for a file, write its path with .py: path/to/file.py:callable",
    )


def _as_module(folder: Path, names: Sequence[str]) -> list[Path]:
    path = os.path.join(folder, *names)  # noqa: PTH118  # most are not there: no path is made
    candidates = (os.path.join(path, "__init__.py"), *([f"{path}.py"] if names else []))  # noqa: PTH118
    for candidate in candidates:
        note_path(candidate)
    return [Path(candidate) for candidate in candidates if os.path.isfile(candidate)][:1]  # noqa: PTH113


def _find_imported(file: Path, root: Path) -> list[Path]:
    """Return the modules below `root` that a file imports, with the packages they lie in."""
    try:
        imports = _list_imports(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # loading it will say what is wrong
    found: list[Path] = []
    above = [file, *file.parents]
    for level, names in imports:
        folder = above[min(level, len(above) - 1)] if level else root
        found += _on_the_way(folder, names)
    return [path for path in dict.fromkeys(found) if path != file]


def _on_the_way(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return what importing `a.b.c` runs: a, a.b and a.b.c, as far as they lie in `folder`."""
    counts = range(1, len(names) + 1)
    return [file for count in counts for file in _as_module(folder, names[:count])]


@lru_cache(maxsize=64)
def _list_imports(source: bytes) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Return the name of each module or attribute that a source imports, and from how far above.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it cannot be read.
    """
    found: dict[tuple[int, tuple[str, ...]], None] = {}
    blocks: list[list[Any]] = [ast.parse(source).body]
    while blocks:  # an import is a statement: to look into expressions takes five times as long
        for node in blocks.pop():
            if isinstance(node, ast.Import):
                found |= dict.fromkeys((0, tuple(alias.name.split("."))) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = node.module.split(".") if node.module else []
                found |= dict.fromkeys((node.level, (*module, each.name)) for each in node.names)
            blocks += [getattr(node, name) for name in BLOCKS if hasattr(node, name)]
    return tuple(found)


def _forget(files: tuple[Path, ...], root: Path) -> None:
    """Drop modules loaded under the names that these files go by."""
    names = {
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for file in files
        if file.is_relative_to(root) and not INSTALLED & set(root.parts)
    }
    for name in names - sys.stdlib_module_names:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


def _run(file: Path, root: Path) -> ModuleType:
    folder = str(root.resolve())
    # Stays there: a callable may import from beside it only when it is called.
    sys.path[:] = [folder, *(path for path in sys.path if path != folder)]
    # A name of its own keeps a file called `resnet50.py` apart from an installed `resnet50`.
    module = ModuleType(f"_trtbuild_entrypoint_{file.stem}")
    module.__file__ = str(file.resolve())
    sys.modules[module.__name__] = module
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        code = compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
        exec(code, vars(module))  # noqa: S102
    finally:
        sys.dont_write_bytecode = before
    return module


def _callables(module: Any) -> list[str]:
    mine = getattr(module, "__name__", "")
    return sorted(
        name
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == mine and name[0] != "_"
    )
