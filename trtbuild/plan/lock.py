"""The lock file: what a build was made of and what came of it, a fact a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from trtbuild.core.action import SizeBytes
from trtbuild.core.errors import UsageError
from trtbuild.core.escape import escape_controls
from trtbuild.core.files import write_whole
from trtbuild.core.options import Options
from trtbuild.core.placed import MODELS
from trtbuild.core.regular_files import read_regular
from trtbuild.core.values import Range, Ranges
from trtbuild.core.words import abbreviate
from trtbuild.plan.plan import NOT_INSTALLED

__all__ = [
    "Lock",
    "LockedGate",
    "LockedSpeed",
    "LockedTarget",
    "find_lock",
    "list_differing",
    "read_lock",
    "write_lock",
]

MOST_BYTES = 32 << 20
"""A hundred thousand pictures come to 12 MiB."""
_BARE = re.compile("[A-Za-z0-9_-]+")
DEEP = ("targets", "target_tools")
"""The sections whose facts have names of several parts."""
HEAD = """\
# Written by `trtbuild lock`; not to be edited. `trtbuild apply --locked` builds what stands here,
# with these ranges: nothing is calibrated again.
"""


class LockedTarget(Options):
    """What one target's engine was."""

    backend: str
    built_for: tuple[str, ...]
    engine_size_bytes: SizeBytes
    asked_int8: int
    delivered_int8: int
    other_types: dict[str, tuple[int, int]] = {}
    """Of other quantized types: layers asked for, and delivered of them."""
    level: int | None = None
    """What is guaranteed of a rebuild: 0 the same model, 1 also the same tactics, 2 the bytes."""
    tactics: str = ""
    """The digest of the tactics, from level 1 on."""
    engine_digest: str = ""
    """At level 2."""
    options: dict[str, str] = {}
    versions: dict[str, str] = {}


class LockedGate(Options):
    """What became of one gate."""

    passed: bool
    judged: bool = True
    """False where there was nothing to judge by; it has not passed then."""
    told: str = ""
    """What was found, in words; or why nothing was."""


class LockedSpeed(Options):
    """How long a variant took at one set of shapes, when it was last measured."""

    p50_ms: float
    low_ms: float
    high_ms: float
    """Where that lies with 95 % confidence."""
    protocol: str
    """The digest of the protocol."""
    machine: str
    """The digest of what it was measured on."""


class Lock(Options):
    """All that a build rests on, and what it must come to."""

    format: Literal[1] = 1
    models: dict[str, str]
    """The digests of model.fp32.onnx (`fp32`) and, where it is quantized, model.int8.onnx."""
    samples: int | None = None
    """How many samples were calibrated on."""
    ranges: dict[str, Range] | None = None
    """What calibration found, before manual ranges; None where nothing is calibrated."""
    recipe: dict[str, str | int | float | bool]
    """The recipe with defaults filled in, without the places of files."""
    sources: dict[str, str]
    """Files that it names and their digests."""
    observed: dict[str, str] = {}
    """What code of the user's was seen to rest on, and what that was."""
    tools: dict[str, str]
    """Versions that may change what a locked build makes."""
    targets: dict[str, LockedTarget]
    measures: dict[str, float]
    """What the comparison measured."""
    target_tools: dict[str, dict[str, str]] = {}
    """By target, the versions of its tools where it is built under a Python of its own."""
    intervals: dict[str, tuple[float, float]] = {}
    """Where 95 % of resamples have them: from, to."""
    figures: dict[str, str] = {}
    """Of measures that metrics with options yield: their unit, and which end is better."""
    references: dict[str, float] = {}
    """What the reference itself comes to, of the measures that have such a figure."""
    gates: dict[str, LockedGate] = {}
    """Every gate that was judged, by what it asks of which output."""
    compared: dict[str, str | int] = {}
    """How many `samples` it was measured on, the digest of what they are (`data`), and what type of
    numbers the `reference` has."""
    right: dict[str, str] = {}
    """Of measures that count samples, which of them are right: a bit each, as hexadecimal."""
    speed: dict[str, LockedSpeed] = {}
    """What the last `trtbuild bench` of these models measured, by variant and shapes."""

    def table(self) -> Ranges | None:
        """Return the ranges as calibration gave them, or None."""
        if self.ranges is None:
            return None
        return Ranges(tensors=dict(sorted(self.ranges.items())), samples=self.samples)


def find_lock(recipe: Path) -> Path:
    """Return where the lock of a recipe lies: beside it."""
    return recipe.with_suffix(".lock")


def write_lock(path: Path, lock: Lock) -> bool:
    """Write a lock, and tell whether its bytes changed."""
    text = HEAD + "\n".join(_lines(lock.model_dump(mode="json", exclude_defaults=True))) + "\n"
    data = text.replace("\x7f", "\\u007f").encode()
    if path.is_file() and path.read_bytes() == data:
        return False
    write_whole(path, data, durable=True)
    return True


def _lines(tree: Mapping[str, Any]) -> Iterator[str]:
    yield "format = 1"
    for name in sorted(key for key, value in tree.items() if not isinstance(value, dict)):
        yield f"{name} = {_value(tree[name])}"
    for name in sorted(key for key, value in tree.items() if isinstance(value, dict)):
        yield f"\n[{_key(name)}]"
        for path, value in _facts(tree[name], deep=name in DEEP):
            yield f"{'.'.join(_key(part) for part in path)} = {_value(value)}"


def _facts(
    tree: Mapping[str, Any], *, deep: bool, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key in sorted(tree):
        if deep and isinstance(tree[key], dict):
            yield from _facts(tree[key], deep=True, path=(*path, key))
        else:
            yield (*path, key), tree[key]


def _value(value: Any) -> str:
    """Write a value as TOML, on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _text(text)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        MissingFile: it is not there.
        UsageError: it is no lock of this trtbuild, or was merged badly.
    """
    from trtbuild.plan.lock_text import find_wrong, parse_lock

    hint = f"write it anew: trtbuild lock {path.with_suffix('.yaml')}"
    try:
        tree = parse_lock(read_regular(path, most_bytes=MOST_BYTES, hint=hint).decode())
    except ValueError as error:
        raise UsageError(f"{path}: is damaged: {error}", hint=hint) from None
    wrong = find_wrong(tree, Lock) or _find_strange(tree.get("models", {}))
    if wrong:
        raise UsageError(
            f"{path}: is no lock of this trtbuild: {escape_controls(wrong)}", hint=hint
        )
    return Lock.model_validate_json(json.dumps(tree))


def _find_strange(models: Mapping[str, str]) -> str:
    """Return what is wrong with the models of a lock: a name that no build leaves, or nothing."""
    strange = (name for name in models if name.removesuffix("_weights") not in MODELS)
    return next((f"`models.{name}` is nothing that it has" for name in strange), "")


def list_differing(before: Lock, after: Lock) -> tuple[str, ...]:
    """Say where what a build rests on differs from a lock; not what came of it.

    A tool that is not installed, then or now, is not compared: what it is for is not built there.
    """
    found = list(_list_moved("recipe", before.recipe, after.recipe))
    found += _sources(before.sources, after.sources)
    found += _list_moved("observed", before.observed, after.observed)
    lacking = {
        name
        for tools in (before.tools, after.tools)
        for name, version in tools.items()
        if version == NOT_INSTALLED
    }
    then, now = (
        {name: version for name, version in each.tools.items() if name not in lacking}
        for each in (before, after)
    )
    found += _list_moved("tools", then, now)
    return tuple(found)


def _list_moved(section: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, "nothing"), after.get(key, "nothing")
        if old != new:
            yield f"{section}: {key}: {abbreviate(str(old))} → {abbreviate(str(new))}"


def _sources(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """A file that only moved is the same file."""
    gone = {name: digest for name, digest in before.items() if name not in after}
    come = {name: digest for name, digest in after.items() if name not in before}
    changed = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    shown = [f"sources: {n}: {abbreviate(before[n])} → {abbreviate(after[n])}" for n in changed]
    if sorted(gone.values()) != sorted(come.values()):
        shown += [f"sources: {name}: gone" for name, d in gone.items() if d not in come.values()]
        shown += [f"sources: {name}: new" for name, d in come.items() if d not in gone.values()]
    return shown
