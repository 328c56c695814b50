"""Models and engines under requests that come at a rate, one variant after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from trtbuild.core.errors import StepFailed, UsageError
from trtbuild.core.load import Load, LoadResult, LoadRow
from trtbuild.core.spread import NotRun, Shapes
from trtbuild.core.timing import TimedVariant
from trtbuild.core.values import TensorSpec
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.one_call import carry_out
from trtbuild.steps.time_load import BatchShapes, MeasuredLoad, TimeLoad
from trtbuild.timing.load.callers import list_sizes
from trtbuild.verbs.benching.shapes import Profiles, choose_shapes

if TYPE_CHECKING:
    from trtbuild.verbs.benching.measure import BenchWork

__all__ = ["choose_batches", "choose_load", "measure_load"]

_OPTIONS = {"rates": "--rate", "max_batch": "--max-batch", "max_wait_ms": "--max-wait-ms",
            "arrivals": "--arrivals", "seconds": "--seconds"}  # fmt: skip
"""How what is typed is called on the command line."""


def choose_load(own: Load | None, typed: Mapping[str, Any], seconds: float | None) -> Load | None:
    """Return what requests a recipe asks for, with what was typed in its place; None for none.

    Raises:
        UsageError: what was typed is out of bounds, or nobody says at which rate.
    """
    if own is None and not typed:
        return None
    given = {} if own is None else own.model_dump(mode="json")
    more = {} if seconds is None else {"seconds": seconds}
    if own is None and "rates" not in typed:
        name = next(iter(typed))
        raise UsageError(
            f"{_OPTIONS.get(name, name)}: at which rate do requests come?",
            hint="--rate 100 is 100 requests a second; it may be repeated",
        )
    try:
        return Load.model_validate_json(json.dumps({**given, **more, **typed}))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "rates"
        said = first["msg"].removeprefix("Value error, ")
        raise UsageError(
            f"{_OPTIONS.get(name, name)}: {said}",
            hint="`trtbuild kinds bench.load` lists its options",
        ) from None


def choose_batches(
    inputs: Sequence[TensorSpec], profiles: Profiles, shapes: Sequence[Shapes], load: Load
) -> tuple[BatchShapes, ...]:
    """Return the shapes of inputs at each size of batch that is run.

    Other axes are as in the first of the shapes that were asked for, else as in the first
    profile's `opt`. A model whose batch axis is fixed has one size: a request is a call of it.

    Raises:
        UsageError: batches are asked for, and no input has axis 0 open.
    """
    like = [{name: (shape,) * 3 for name, shape in shapes[0].items()}] if shapes else profiles
    is_open = any(spec.shape and not isinstance(spec.shape[0], int) for spec in inputs)
    if not is_open and load.max_batch == 1:
        (first, *_) = choose_shapes(inputs, like[:1], batches=(), shapes=shapes[:1])
        return (BatchShapes(size=1, shapes=first),)
    sizes = list_sizes(load.max_batch)
    found = choose_shapes(inputs, like, batches=sizes, shapes=())
    return tuple(
        BatchShapes(size=size, shapes=each) for size, each in zip(sizes, found, strict=True)
    )


def measure_load(
    work: BenchWork, variants: Sequence[TimedVariant], executor: Executor, listener: Listener
) -> LoadResult | None:
    """Put requests on each variant, in a process of its own; None where nobody asks for that."""
    if work.load is None:
        return None
    rows: list[LoadRow] = []
    left: list[NotRun] = []
    for variant, step in _list_steps(work, variants, work.load):
        try:
            with carry_out(step, executor, name=f"load({variant})", listener=listener) as (out, _):
                text = (out / "load.json").read_bytes()
                rows += MeasuredLoad.model_validate_json(text).rows
        except StepFailed as error:
            left.append(NotRun(name=variant, reason=error.message))
    sizes = tuple(each.size for each in work.batches)
    return LoadResult(asked=work.load, sizes=sizes, rows=tuple(rows), not_run=tuple(left))


def _list_steps(
    work: BenchWork, variants: Sequence[TimedVariant], load: Load
) -> Iterator[tuple[str, TimeLoad]]:
    for variant in variants:
        subject, runner = work.find(variant)
        yield (
            variant.name,
            TimeLoad(
                subject=subject,
                runner=runner,
                timings=work.timings.model_copy(update={"only": ()}),
                load=load,
                batches=work.batches,
                flavour=subject.flavour,
            ),
        )
