"""How much of a model's work is quantized, and how its quantized layers hang together."""

from __future__ import annotations

from trtbuild.core import words
from trtbuild.core.model_checks import Coverage
from trtbuild.core.records import Record
from trtbuild.report.blocks import (
    NOTHING,
    Block,
    Bullets,
    Code,
    Fold,
    InlineText,
    Paragraph,
    Section,
    TableBlock,
    drop_empty_columns,
)

__all__ = ["make_coverage_section"]

_MEANING = (
    "Shares are of the multiply-accumulates of Conv, ConvTranspose, Gemm and MatMul, counted from "
    "inferred shapes at the opt sizes. An island is a group of {0} layers with nothing but fused "
    "operators and pooling between them; a float edge is a tensor made in float between two {0} "
    "layers: each costs conversions."
)
_MANY = 100


def make_coverage_section(record: Record) -> Section | None:
    """Say for each target what share of the work was asked for quantized, and delivered so."""
    if not any(each.asked_macs for each in record.coverage):
        return None
    word = record.quantized_words
    head = ("Target", "Work", f"Asked in {word}", "Delivered", "Not told", "Islands", "Float edges")
    rows = tuple(map(_row, record.coverage))
    table = TableBlock(
        f"{word} coverage, by multiply-accumulates", head, rows, numbers=(1, 2, 3, 4, 5, 6)
    )
    blocks: list[Block] = [drop_empty_columns(table), Paragraph((_MEANING.format(word),))]
    blocks += [_edges(each, word) for each in record.coverage if each.float_edges]
    return Section(f"{word} coverage", tuple(blocks))


def _row(found: Coverage) -> tuple[InlineText, ...]:
    return (
        (Code(found.target),),
        (_amount(found.macs),),
        (_share(found.asked_macs, found.macs),),
        NOTHING if found.delivered_macs is None else (_share(found.delivered_macs, found.macs),),
        (_share(found.unknown_macs, found.macs),) if found.unknown_macs else NOTHING,
        (str(found.islands),),
        (str(len(found.float_edges)),),
    )


def _amount(macs: int) -> str:
    """Write a count: `640`, `4.1 M`, `4.1 G`."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if macs >= size:
            return f"{macs / size:.1f} {unit}"
    return str(macs)


def _share(part: int, whole: int) -> str:
    return words.format_figure(part / whole if whole else 0.0, "share")


def _edges(found: Coverage, word: str) -> Fold:
    names: list[InlineText] = [(Code(name),) for name in found.float_edges[:_MANY]]
    if len(found.float_edges) > _MANY:
        names.append((f"and {len(found.float_edges) - _MANY} more",))
    return Fold(f"{found.target}: float edges between {word} layers", (Bullets(tuple(names)),))
