"""What does not hold of a lock, and the error that says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from trtbuild.core.errors import LockMismatch
from trtbuild.core.placed import MODELS
from trtbuild.core.words import abbreviate
from trtbuild.machine.interpreters import find_configured_python
from trtbuild.plan.compile import name_target_step
from trtbuild.plan.lock import Lock, LockedTarget, find_lock
from trtbuild.plan.lock_tools import MovedTool, list_pins, write_install
from trtbuild.recipe.load import LoadedRecipe

__all__ = [
    "list_broken",
    "list_hopeless",
    "list_other_results",
    "refuse_mismatch",
    "refuse_other",
    "refuse_tools",
]

MOST_REASONS = 12
COMPARED = (
    *("backend", "built_for", "level", "asked_int8", "delivered_int8", "other_types"),
    *("options", "versions"),
)


def list_broken(then: LockedTarget, now: LockedTarget) -> list[str]:
    """Say what an engine is not that was guaranteed of it."""
    # Where it is known to be the same program, it does not matter what compiled it.
    same = _is_same_program(then, now)
    found = [
        f"{field}: {getattr(then, field)} → {getattr(now, field)}"
        for field in COMPARED
        # Locks of earlier versions say nothing of levels.
        if getattr(then, field) not in (None, getattr(now, field))
        and not (same and field == "versions")
    ]
    if then.tactics and then.tactics != now.tactics:
        found.append(
            f"tactics: {abbreviate(then.tactics)} → {abbreviate(now.tactics) or 'not read'}"
        )
    if then.engine_digest and then.engine_digest != now.engine_digest:
        found.append(
            f"engine: {abbreviate(then.engine_digest)} → {abbreviate(now.engine_digest) or 'other'}"
        )
    return found


def _is_same_program(then: LockedTarget, now: LockedTarget) -> bool:
    guaranteed = then.engine_digest or then.tactics
    return bool(guaranteed) and guaranteed == (
        now.engine_digest if then.engine_digest else now.tactics
    )


def list_other_results(lock: Lock, built: Lock) -> tuple[tuple[str, str], ...]:
    """Return what was built and is not what a lock says: the step that made it, and what."""
    return tuple(_iterate_other(lock, built))


def _iterate_other(lock: Lock, built: Lock) -> Iterator[tuple[str, str]]:
    for name, digest in built.models.items():
        then = lock.models.get(name, "nothing")
        if digest != then:
            step = MODELS[name.removesuffix("_weights")].step
            yield step, f"models: {name}: {abbreviate(then)} → {abbreviate(digest)}"
    for name, target in built.targets.items():
        for each in list_broken(lock.targets[name], target) if name in lock.targets else ():
            yield name_target_step(name), f"targets: {name}.{each}"


def list_hopeless(moved: Iterable[MovedTool], lock: Lock) -> tuple[MovedTool, ...]:
    """Return the tools that build an engine of which no later look can tell that it is the same."""
    vague = {
        name_target_step(name): target.versions
        for name, target in lock.targets.items()
        if not target.tactics and not target.engine_digest
    }
    return tuple(
        tool for tool in moved if any(tool.name in vague.get(step, ()) for step in tool.makes)
    )


def refuse_mismatch(recipe: Path, reasons: Iterable[str], *, tools: str = "") -> None:
    """Raise what differs from the lock, if anything does; `tools` says how to get the lock's."""
    found = list(reasons)
    if not found:
        return
    more = [f"  and {len(found) - MOST_REASONS} more"] if len(found) > MOST_REASONS else []
    meant = f"if this is meant: trtbuild apply {recipe} && trtbuild lock {recipe}"
    raise LockMismatch(
        f"{find_lock(recipe)} does not hold:",
        lines=[*(f"  {each}" for each in found[:MOST_REASONS]), *more],
        hint=f"the lock's tools: {tools}; {meant}" if tools else meant,
    )


def refuse_tools(loaded: LoadedRecipe, moved: Sequence[MovedTool]) -> None:
    """Raise that tools are other versions, of which other bytes may come; if there are any."""
    reasons = [f"tools: {tool.text()}" for tool in moved]
    refuse_mismatch(loaded.file, reasons, tools=_write_installs(loaded, moved))


def refuse_other(
    loaded: LoadedRecipe, other: Sequence[tuple[str, str]], moved: Iterable[MovedTool]
) -> None:
    """Raise what was built otherwise, with the step that did and the tools that may be why."""
    if not other:
        return
    makers = [tool for tool in moved if tool.makes]
    reasons = [reason for _, reason in other]
    if makers:
        steps = dict.fromkeys(step for step, _ in other)
        reasons += [f"{step} makes other bytes" for step in steps]
        reasons += [f"tools: {tool.text()}" for tool in makers]
    refuse_mismatch(loaded.file, reasons, tools=_write_installs(loaded, makers))


def _write_installs(loaded: LoadedRecipe, moved: Iterable[MovedTool]) -> str:
    """Return the lines that bring the tools of a lock, one for each Python."""
    wanted: dict[str, dict[str, str]] = {}
    for tool in moved:
        python = ""
        if tool.target:
            named = find_configured_python(loaded.recipe.targets[tool.target].kind)
            python = named.python if named is not None else ""
        wanted.setdefault(python, {})[tool.name] = tool.before
    pins = {python: list_pins(tools) for python, tools in wanted.items()}
    return " && ".join(write_install(each, python) for python, each in pins.items() if each)
