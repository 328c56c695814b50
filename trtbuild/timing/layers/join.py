"""Layers as a profiler has them, joined with what the model asks of their nodes."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trtbuild.core.layer_times import LayerProfile, LayerTime
from trtbuild.core.quantized_types import TYPES, join_words
from trtbuild.core.spread import Shapes
from trtbuild.timing.layers.asked import AskedLayers

__all__ = ["CONVERSION", "ProfiledLayer", "join_layers"]

CONVERSION = "conversion"
FLOATS = ("fp32", "fp16", "bf16")
MOST = 50
"""Layers that are kept."""
WORTH = 0.05
"""The share of the time from which a float layer, or all conversions, are named."""
_NAMED = 3


@dataclass(frozen=True)
class ProfiledLayer:
    """A layer, and how long each call spent in it."""

    name: str
    op: str
    nodes: tuple[str, ...]
    """Of the model, as far as they are known."""
    delivered: str
    """`int8`, `fp32`, `conversion`; empty where it is not known."""
    times_ms: tuple[float, ...]


def join_layers(
    variant: str, shapes: Shapes, layers: Sequence[ProfiledLayer], asked: AskedLayers
) -> LayerProfile:
    """Return them, the slowest first, with what was asked, and what stands out in words."""
    times = {each.name: statistics.median(each.times_ms) for each in layers}
    total = sum(times.values()) or 1.0
    found = sorted(
        (
            LayerTime(
                name=each.name,
                op=each.op,
                asked=_find_asked(each, asked),
                delivered=each.delivered,
                ms=times[each.name],
                share=times[each.name] / total,
                between=each.delivered in FLOATS and any(n in asked.between for n in each.nodes),
            )
            for each in layers
        ),
        key=lambda layer: -layer.ms,
    )
    return LayerProfile(
        variant=variant,
        shapes=shapes,
        calls=max((len(each.times_ms) for each in layers), default=0),
        total_ms=total,
        layers=tuple(found[:MOST]),
        left_out=max(0, len(found) - MOST),
        remarks=tuple(_list_remarks(found, join_words(asked.types))),
    )


def _find_asked(layer: ProfiledLayer, asked: AskedLayers) -> str:
    found = {asked.precision[each] for each in layer.nodes if each in asked.precision}
    return next((name for name in TYPES if name in found), next(iter(found), ""))


def _list_remarks(layers: Sequence[LayerTime], word: str) -> Iterator[str]:
    islands = [each for each in layers if each.between]
    share = sum(each.share for each in islands)
    worth = [each for each in islands if each.share >= WORTH]
    for each in worth[:_NAMED]:
        narrow = TYPES.get(each.asked)
        asked = f"{narrow.word} was asked" if narrow else f"{word} was not asked"
        yield (
            f"`{each.name}` ({each.op}) computes in {each.delivered} between {word} tensors and "
            f"takes {_say(each.share)} of the time ({asked})"
        )
    if share >= WORTH and len(islands) > len(worth[:_NAMED]):
        yield (
            f"float layers between {word} tensors, {len(islands)} in all, take {_say(share)} of "
            "the time"
        )
    moved = sum(each.share for each in layers if each.delivered == CONVERSION)
    if moved >= WORTH:
        yield f"turning types and layouts into others takes {_say(moved)} of the time"


def _say(share: float) -> str:
    return f"{100 * share:.3g} %"
