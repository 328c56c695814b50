"""What is asked of a bench: by a recipe, and by what is typed, which wins."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from trtbuild.core.errors import UsageError
from trtbuild.core.kinds import load_kinds
from trtbuild.core.load import Load
from trtbuild.core.protocol import Protocol
from trtbuild.core.timing import BenchResult, Shapes
from trtbuild.timing.base import RunnerKind
from trtbuild.timing.kinds import AnyRunner

__all__ = ["BenchRequest", "choose_protocol", "choose_runners", "demand_timed", "parse_shapes"]


@dataclass(frozen=True)
class BenchRequest:
    """What was typed."""

    batches: tuple[int, ...] = ()
    shapes: tuple[Shapes, ...] = ()
    only: tuple[str, ...] = ()
    """Variants by name or pattern; all by default."""
    protocol: Protocol = field(default_factory=Protocol)
    data: str = ""
    load: Load | None = None
    """Requests at a rate of their own, if they are asked for."""
    cold: bool = True
    """Whether each is started in a process of its own, too."""


def choose_protocol(own: Protocol | None, typed: Mapping[str, Any]) -> Protocol:
    """Return the protocol of a recipe, or the usual one, with what was typed in its place.

    Raises:
        UsageError: what was typed is no option of it, or out of its bounds.
    """
    given = (own or Protocol()).model_dump(mode="json")
    if "seconds" in typed:  # whoever says how long does not mean the recipe's number of calls
        given["iterations"] = None
    try:
        return Protocol.model_validate_json(json.dumps({**given, **typed}))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"the protocol's `{name}`: {first['msg']}",
            hint="`trtbuild kinds bench.protocol` lists its options",
        ) from None


def choose_runners(asked: Sequence[AnyRunner]) -> tuple[AnyRunner, ...]:
    """Return what a recipe asks for; all there is where it asks for nothing."""
    if asked:
        return tuple(asked)
    found: list[RunnerKind] = []
    for kind in load_kinds(AnyRunner):
        found += kind.usual()  # type: ignore[attr-defined]  # every runner has it
    return tuple(found)  # type: ignore[arg-type]  # they are of that union


def demand_timed(found: BenchResult, request: BenchRequest) -> None:
    """Refuse a pattern that means none of the variants, and a result of nothing.

    Raises:
        UsageError: there is such a pattern, or nothing could be timed; says why of each variant.
    """
    names = found.list_names()
    for pattern in request.only:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            raise UsageError(
                f"`{pattern}` means no variant", hint=f"there are: {', '.join(names) or 'none'}"
            )
    if not found.rows:
        raise UsageError(
            "nothing could be timed here",
            lines=[f"  {each.name}: {each.reason}" for each in found.not_run],
            hint="--shape gives shapes, --only variants; `trtbuild doctor` says what is missing",
        )


def parse_shapes(texts: Sequence[str]) -> tuple[Shapes, ...]:
    """Read shapes as typed: `input=1x3x224x224`, several inputs of one set joined by commas.

    Raises:
        UsageError: one is not written so.
    """
    return tuple(dict(map(_parse_shape, text.split(","))) for text in texts)


def _parse_shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, mark, sizes = text.strip().rpartition("=")
    numbers = sizes.split("x")
    if not mark or not name or not all(each.isdigit() and int(each) > 0 for each in numbers):
        raise UsageError(
            f"--shape {text}: is no shape", hint="write an input, and its sizes: input=1x3x224x224"
        )
    return name, tuple(map(int, numbers))
