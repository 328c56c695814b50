"""Record → Page: a model card, for those who get engines and not the recipe's build folder."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.core import words
from trtbuild.core.delivered import list_deliveries
from trtbuild.core.records import Record, TargetResult
from trtbuild.core.values import TensorSpec
from trtbuild.report.blocks import (
    Block,
    Bullets,
    Code,
    InlineText,
    KeyFigure,
    KeyFigures,
    Page,
    Paragraph,
    Pre,
    Section,
    TableBlock,
    parse_prose,
)
from trtbuild.report.results import make_comparison_section, make_targets_section

__all__ = ["make_card_page"]

_USE = """python run.py inputs.npz outputs.npz  # the engine for this GPU; without one, the model
python run.py inputs.npz --onnx       # the model in ONNX Runtime, anywhere"""


def make_card_page(
    record: Record, *, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> Page:
    """Return the card: what it is, what it was made and measured on, how well it does, its limits.

    Args:
        record: what was built, as far as the build folder tells.
        inputs: what the model takes.
        outputs: what it gives.
    """
    sections = [
        _describe_tensors(inputs, outputs),
        _describe_data(record),
        make_comparison_section(record) or _unmeasured(),
        make_targets_section(record),
        Section("Limits", (Bullets(tuple(map(parse_prose, _list_limits(record)))),)),
        Section("How to run it", (Pre(_USE),)),
    ]
    return Page(
        title=f"{record.recipe}: model card",
        caveats=record.caveats,
        lead=_lead(record),
        sections=tuple(each for each in sections if each is not None),
    )


def _lead(record: Record) -> tuple[Block, ...]:
    what = KeyFigure("model", record.model)
    keys = [what, *([KeyFigure("calibrator", record.calibrator)] if record.calibrator else [])]
    return (
        Paragraph(parse_prose(f"Built by trtbuild from the recipe `{record.file}`, beside this.")),
        KeyFigures(tuple(keys)),
    )


def _describe_tensors(inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Section:
    rows: list[tuple[InlineText, ...]] = [
        ((word,), (Code(spec.name),), (spec.dtype,), (f"[{', '.join(map(str, spec.shape))}]",))
        for word, specs in (("input", inputs), ("output", outputs))
        for spec in specs
    ]
    table = TableBlock("Inputs and outputs", ("", "Name", "Type", "Shape"), tuple(rows))
    return Section("What it takes and gives", (table,))


def _describe_data(record: Record) -> Section | None:
    rows: list[tuple[InlineText, ...]] = [
        (
            (Code(each.name),),
            (each.kind,),
            (each.used_for,),
            (str(each.samples) if each.samples else "not known",),
        )
        for each in record.data
    ]
    if not rows:
        return None
    head = ("Data", "Kind", "Used for", "Samples")
    return Section("Data", (TableBlock("Data sets", head, tuple(rows), numbers=(3,)),))


def _unmeasured() -> Section:
    told = "It was not compared with anything: how well it does is not known."
    return Section("Comparison", (Paragraph((told,)),))


def _list_limits(record: Record) -> Iterator[str]:
    yield from (f"{caveat}." for caveat in record.caveats)
    if record.comparison is None:
        yield "Nothing was measured: see above."
    else:
        yield (
            f"Figures hold for data like the {record.comparison.samples} samples they were "
            f"measured on, and were measured by {record.comparison.runner}."
        )
        failed = [each.gate for each in record.comparison.verdicts if not each.passed]
        if failed:
            yield f"It does not pass: {', '.join(failed)}."
    for target in record.targets:
        yield from _list_engine_limits(target)


def _list_engine_limits(target: TargetResult) -> Iterator[str]:
    versions = [value for name, value in target.versions.items() if name.startswith("tensorrt")]
    whose = f"The engine of `{target.target}` runs"
    if target.built_for:
        told = f" in {target.backend} {versions[0] if versions else ''}".rstrip()
        yield f"{whose} on compute capability {', '.join(target.built_for)} alone,{told} alone."
    for number, profile in enumerate(target.profiles):
        spans = [
            f"`{name}` from {shapes['min']} to {shapes['max']}"
            for name, shapes in profile.items()
            if {"min", "max"} <= shapes.keys()
        ]
        if spans:
            yield f"{whose} with profile {number}: {', '.join(spans)}; nothing beyond."
    for each in list_deliveries(target):
        if each.delivered < each.asked:
            share = words.format_figure(each.delivered / each.asked, "share")
            yield f"{whose} {share} of the layers in {each.word} for which that was asked."
