"""Holds the models and engines that lie in a build directory to a lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject, LockMismatch, MissingFile
from trtbuild.core.files import relate_path
from trtbuild.core.placed import ENGINE, ENGINE_RESULT, MODELS
from trtbuild.core.records import TargetResult
from trtbuild.core.regular_files import read_regular
from trtbuild.core.words import abbreviate
from trtbuild.plan.lock import Lock
from trtbuild.verbs.lock import lock_target
from trtbuild.verbs.lock_mismatch import list_broken

__all__ = ["check_placed"]


def check_placed(directory: Path, lock: Lock, *, recipe: Path) -> str:
    """Hold what lies in a build directory to the lock of its recipe; return what was looked at.

    An engine is held to its lock by what the file beside it says of it, which must be of that very
    engine. What is not placed is not missed: there are targets that another machine builds.

    Raises:
        LockMismatch: a model or an engine is not the lock's.
    """
    models = {_name_file(name): digest for name, digest in lock.models.items()}
    placed = [name for name in models if (directory / name).is_file()]
    engines = [name for name in lock.targets if (directory / name / ENGINE).is_file()]
    shown = relate_path(directory.absolute(), Path.cwd())
    if not placed and not engines:
        return f"nothing is placed in {shown}: no file there is checked"
    found = [
        f"{name}: {abbreviate(models[name])} → {abbreviate(digest)}"
        for name in placed
        if (digest := digest_of_file(directory / name)) != models[name]
    ]
    for name in engines:
        told = _list_wrong(directory / name, name, lock)
        found += [f"{name}/{ENGINE}: {each}" for each in told]
    if found:
        raise LockMismatch(
            f"{shown} is not what the lock of {recipe} says:",
            lines=[f"  {each}" for each in found],
            hint=f"trtbuild apply --locked {recipe} places what it says",
        )
    return f"the models and engines in {shown} are the lock's ({len(placed) + len(engines)} files)"


def _name_file(name: str) -> str:
    model = MODELS[name.removesuffix("_weights")]
    return model.weights if name.endswith("_weights") else model.file


def _list_wrong(folder: Path, name: str, lock: Lock) -> Iterator[str]:
    """Say what an engine is not that the lock says of it."""
    try:
        data = read_regular(folder / ENGINE_RESULT)
        told = TargetResult.read_json(data, what=ENGINE_RESULT)
    except (MissingFile, CorruptObject) as error:
        yield f"what it is cannot be told: {error.message}"
        return
    digest = digest_of_file(folder / ENGINE)
    if digest != told.engine_digest:
        yield f"{ENGINE_RESULT} is of {abbreviate(told.engine_digest)}, not of {abbreviate(digest)}"
    yield from _list_other(told, lock.models)
    yield from list_broken(lock.targets[name], lock_target(told))


def _list_other(told: TargetResult, models: Mapping[str, str]) -> Iterator[str]:
    if told.model_digest not in models.values():
        yield f"built from {abbreviate(told.model_digest)}, which is no model of the lock"
