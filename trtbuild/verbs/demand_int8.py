"""INT8 that was asked for and not delivered fails a build, unless the recipe allows it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from trtbuild.core.errors import StepFailed
from trtbuild.core.escape import escape_controls
from trtbuild.core.overview import LayerPrecision, TargetResult
from trtbuild.core.patterns import means_node
from trtbuild.core.quantized_types import TYPES, join_words
from trtbuild.core.words import join_few
from trtbuild.plan.compile import name_target_step
from trtbuild.recipe.schema import Recipe

__all__ = ["demand_delivered", "find_undelivered"]

MANY = 5
"""Layers named for a cause; engine.json in the store names them all."""


def demand_delivered(recipe: Recipe, results: Iterable[TargetResult], *, placed: str = "") -> None:
    """Demand of every engine the INT8 that was asked of it, but for what `allow_float` names.

    `placed` says where the engines are placed all the same, with the report of what they hold.

    Layers of which an engine does not tell are noted where it is built, and fail nothing. Where
    TensorRT is given ranges alone (`mode: implicit`) the choice is its own; ONNX Runtime's is too.

    Raises:
        StepFailed: names target, layers and causes, and the lines that would allow all of them.
    """
    section = recipe.quantization
    if section is not None and section.mode != "explicit":
        return
    allowed = section.allow_float if section else ()
    short = {
        result.target: layers
        for result in results
        if recipe.targets[result.target].capabilities.typing
        and (layers := find_undelivered(result.layers, allowed))
    }
    if not short:
        return
    first, *_ = short
    told = [escape_controls(_describe_fallback(target, layers)) for target, layers in short.items()]
    names = [layer.name for layers in short.values() for layer in layers]
    raise StepFailed(
        "\n".join([*told, "to allow it, write below `quantization`:", *_lines(allowed, names)]),
        step=name_target_step(first),
        hint="mend the cause, `skip` the layers, or allow it by the lines above"
        + (f"; {placed} holds what was built, and the report" if placed else ""),
    )


def _lines(allowed: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Yield the option as a recipe has it, with what is allowed already."""
    yield "  allow_float:"
    for name in dict.fromkeys([*allowed, *names]):
        yield f"  - {json.dumps(name)}"


def find_undelivered(
    layers: Iterable[LayerPrecision], allowed: Sequence[str]
) -> tuple[LayerPrecision, ...]:
    """Return the layers asked for in a quantized type that came out in float, and may not."""
    found = tuple(layers)
    names = {layer.name for layer in found}
    return tuple(
        layer
        for layer in found
        if layer.asked in TYPES
        and layer.delivered not in {layer.asked, "unknown"}
        and not any(means_node(each, layer.name, layer.op, names) for each in allowed)
    )


def _describe_fallback(target: str, layers: Sequence[LayerPrecision]) -> str:
    """Say which layers of a target fell back, cause by cause."""
    groups: dict[tuple[str, str], list[str]] = {}
    for layer in layers:
        groups.setdefault((_where(layer), layer.cause), []).append(f"`{layer.name}`")
    told = (
        f"{join_few(names, MANY)} ({where}): {cause}" for (where, cause), names in groups.items()
    )
    word = join_words(layer.asked for layer in layers)
    count = f"{len(layers)} layer{'' if len(layers) == 1 else 's'} asked for in {word}"
    return f"{target}: {count} came out in float: " + "; ".join(told)


def _where(layer: LayerPrecision) -> str:
    """Return the precision, and on which GPUs where it is not the same on all."""
    kinds = set(layer.by_capability.values())
    if len(kinds) <= 1:
        return layer.delivered
    return ", ".join(f"{each}: {precision}" for each, precision in layer.by_capability.items())
