"""The results of a record: engines, comparison, and the precision of each layer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from trtbuild.core import words
from trtbuild.core.delivered import list_deliveries
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.records import (
    LayerPrecision,
    Record,
    TargetResult,
    UnbuiltTarget,
)
from trtbuild.report.blocks import (
    NOTHING,
    Bar,
    Block,
    Bullets,
    Code,
    Fold,
    InlineText,
    Paragraph,
    Section,
    State,
    TableBlock,
    Tone,
    drop_empty_columns,
    parse_prose,
)
from trtbuild.report.comparison import format_value, make_comparison_section

__all__ = [
    "count_precisions",
    "format_value",
    "make_comparison_section",
    "make_layers_section",
    "make_targets_section",
]

_OPEN = 12
"""Layers that are seen at once."""
_MANY = 1000
"""Rows of a folded table; more are counted, and stand in the JSON file beside the report."""


def make_targets_section(record: Record) -> Section | None:
    """Say which engines there are, for what, and how much INT8 is in them."""
    if not record.targets and not record.unbuilt:
        return None
    delivered = f"{record.quantized_words} delivered"
    table = TableBlock(
        "Engines",
        (
            "Target",
            "Backend",
            "Built for",
            "Engine",
            delivered,
            "Weighted layers",
        ),
        (*map(_target_row, record.targets), *map(_unbuilt_row, record.unbuilt)),
        numbers=(3,),
    )
    missing = tuple(_why_unbuilt(each) for each in record.unbuilt)
    blocks: list[Block] = [drop_empty_columns(table)]
    if missing:
        blocks.append(Bullets(missing))
    blocks += [_engine(target) for target in record.targets]
    return Section("Targets", tuple(blocks))


def _target_row(target: TargetResult) -> tuple[InlineText, ...]:
    # Polygraphy only carries calls to the builder; its version stands with the engine's.
    told = {name: each for name, each in target.versions.items() if name != "polygraphy"}
    versions = " ".join(dict.fromkeys(told.values()))
    return (
        (Code(target.target),),
        (f"{target.backend} {versions}".strip(),),
        (", ".join(target.built_for) or "–",),
        (words.format_size(target.engine_size_bytes),),
        _describe_delivered(target),
        (count_precisions(target.layers) or "–",),
    )


def _describe_delivered(target: TargetResult) -> InlineText:
    counts = list_deliveries(target)
    if not counts:
        return ("none asked",)
    share = sum(each.delivered for each in counts) / sum(each.asked for each in counts)
    tone: Tone = "good" if share == 1 else "warn"
    named = len(counts) > 1
    text = ", ".join(
        f"{each.delivered} of {each.asked}{f' {each.word}' * named}" for each in counts
    )
    if share < 1:
        text += f" ({words.format_figure(share, 'share')})"
    return (Bar(share, text, tone),)


def count_precisions(layers: Iterable[LayerPrecision]) -> str:
    """Say in what layers compute, most of them first: `52 int8, 2 fp32`; nothing of none."""
    counts = Counter(layer.delivered for layer in layers)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {precision}" for precision, count in ordered)


def _unbuilt_row(each: UnbuiltTarget) -> tuple[InlineText, ...]:
    state = State(each.status.replace("_", " "), "bad" if each.status == "failed" else "warn")
    return ((Code(each.target),), (each.backend,), NOTHING, (state,), NOTHING, NOTHING)


def _why_unbuilt(each: UnbuiltTarget) -> InlineText:
    hint = f" — {each.hint}" if each.hint else ""
    return (
        Code(each.target),
        " ",
        each.status.replace("_", " "),
        ": ",
        *parse_prose(each.reason + hint),
    )


def _engine(target: TargetResult) -> Fold:
    """Fold away what an engine is made of and takes."""
    rows: list[tuple[InlineText, ...]] = [
        (("engine",), (Code(target.engine_digest),)),
        (("model",), (Code(target.model_digest),)),
        (("a rebuild gives",), (_describe_guarantee(target),)),
    ]
    for direction, tensors in (("input", target.inputs), ("output", target.outputs)):
        rows += [((direction,), (Code(_tensor(tensor)),)) for tensor in tensors]
    for number, profile in enumerate(target.profiles):
        for name, shapes in profile.items():
            spans = ", ".join(f"{kind} {shape}" for kind, shape in shapes.items())
            rows.append(((f"profile {number}",), (Code(name), f": {spans}")))
    rows += [((name,), (Code(_option(name, v)),)) for name, v in sorted(target.options.items())]
    rows += [((name,), (Code(value),)) for name, value in sorted(target.versions.items())]
    table = TableBlock(f"Engine of {target.target}", ("", "Value"), tuple(rows))
    return Fold(f"{target.target}: inputs, outputs, profiles, options, digests", (table,))


def _option(name: str, value: str) -> str:
    """Write what a builder was told, whose own words for it are tuples and bytes."""
    if name.endswith("_bytes") and value.isdecimal():
        return words.format_size(int(value))
    return re.sub(r"\((\d+), (\d+)\)", r"\1.\2", value)


def _describe_guarantee(target: TargetResult) -> str:
    words = ("the same model", "the same tactics", "the same bytes")[target.level]
    return f"{words} (level {target.level}): {target.level_reason}".removesuffix(": ")


def _tensor(tensor: dict[str, str | list[int | str]]) -> str:
    shape = tensor.get("shape", [])
    sizes = ", ".join(str(size) for size in shape) if isinstance(shape, list) else shape
    return f"{tensor.get('name', '')} {tensor.get('dtype', '')}[{sizes}]".strip()


def make_layers_section(record: Record) -> Section | None:
    """Name every layer that did not get the precision asked for; fold the rest away."""
    blocks: list[Block] = []
    for target in record.targets:
        blocks += _target_layers(target)
    kept = [layer for layer in record.asked if layer.precision not in TYPES]
    if kept:
        rows = tuple(
            ((Code(each.name),), (each.op,), (each.precision,), parse_prose(each.reason))
            for each in kept
        )
        caption = f"Asked for in float: {len(kept)} of {len(record.asked)} weighted layers"
        blocks.append(TableBlock(caption, ("Layer", "Operator", "Asked", "Why"), rows))
    return Section("Precision, layer by layer", tuple(blocks)) if blocks else None


def _target_layers(target: TargetResult) -> list[Block]:
    differing = [layer for layer in target.layers if layer.asked != layer.delivered]
    blocks: list[Block] = []
    if differing:
        count = f"{len(differing)} of {len(target.layers)} weighted layers"
        blocks += [
            Paragraph(
                (Code(target.target), ": ", State(count, "warn"), " are not what was asked for.")
            ),
            _layer_table(f"{target.target}: asked and not delivered", differing[:_OPEN]),
        ]
        if differing[_OPEN:]:
            rest = _layer_table(f"{target.target}: the others", differing[_OPEN:])
            blocks.append(Fold(f"{len(differing) - _OPEN} more", (rest,)))
    elif target.layers:
        told = f": each of {len(target.layers)} weighted layers has the precision asked for."
        blocks.append(Paragraph((Code(target.target), told)))
    if target.layers:
        table = _layer_table(f"{target.target}: every weighted layer", list(target.layers))
        blocks.append(Fold(f"{target.target}: all {len(target.layers)} layers", (table,)))
    return blocks


def _layer_table(caption: str, found: list[LayerPrecision]) -> TableBlock:
    rows = tuple(
        (
            (Code(layer.name),),
            (layer.op,),
            (layer.asked,),
            (
                State(layer.delivered, "warn")
                if layer.delivered != layer.asked
                else layer.delivered,
            ),
            parse_prose(layer.cause),
        )
        for layer in found[:_MANY]
    )
    more = f" (the first {_MANY} of {len(found)})" if len(found) > _MANY else ""
    head = ("Layer", "Operator", "Asked", "Delivered", "Likely cause")
    return drop_empty_columns(TableBlock(caption + more, head, rows))
