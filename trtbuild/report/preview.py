"""DataPreview → Page: what a model will see of a data set."""

from __future__ import annotations

from trtbuild.core.preview import DataPreview, ShownInput
from trtbuild.report.blocks import (
    Block,
    Bullets,
    Code,
    InlineText,
    KeyFigure,
    KeyFigures,
    Page,
    Paragraph,
    Picture,
    PlotBlock,
    PlotRow,
    Section,
    State,
    TableBlock,
    parse_prose,
)
from trtbuild.report.plots import ChannelPlot

__all__ = ["make_preview_page"]

_SHOWN_AS = {
    "picture": "undone to a picture",
    "map": "from the lowest value (black) to the highest (white)",
    "wave": "as a curve",
    "numbers": "in numbers",
}


def make_preview_page(preview: DataPreview, sheet: bytes, *, recipe: str) -> Page:
    """Return the page; `sheet` is the contact sheet as PNG."""
    sections = []
    if any(each.look != "numbers" for each in preview.inputs):
        words = f"{len(preview.names)} samples: {', '.join(preview.names)}"
        sections.append(Section("What the model sees", (Picture(sheet, words),)))
    sections += [_show_input(each, preview) for each in preview.inputs]
    sections.append(Section("What the first layer expects", tuple(_show_first_layer(preview))))
    return Page(
        title=f"{recipe}: data {preview.data}",
        caveats=(),
        lead=_lead(preview),
        sections=tuple(sections),
    )


def _lead(preview: DataPreview) -> tuple[Block, ...]:
    keys = (
        KeyFigure("samples", str(preview.of), (f"{len(preview.names)} shown",)),
        KeyFigure("source", preview.source),
        *(
            KeyFigure(f"input {each.name}", each.dtype, (_tell_shapes(each),))
            for each in preview.inputs
        ),
    )
    if preview.doubts:
        first = Paragraph((State("Something looks wrong", "warn"),))
        return first, Bullets(tuple(map(parse_prose, preview.doubts))), KeyFigures(keys)
    return Paragraph((State("Nothing looks wrong", "good"),)), KeyFigures(keys)


def _tell_shapes(shown: ShownInput) -> str:
    first = list(shown.shapes[0])
    more = len(shown.shapes) - 1
    return f"{first}" + (f" and {more} other shapes" if more else "")


def _show_input(shown: ShownInput, preview: DataPreview) -> Section:
    rows: tuple[tuple[InlineText, ...], ...] = tuple(
        (
            (each.name or "all",),
            *((f"{value:.4g}",) for value in (each.low, each.high, each.mean, each.deviation)),
        )
        for each in shown.channels
    )
    head = ("channel", "least", "largest", "mean", "deviation")
    blocks: list[Block] = [
        TableBlock(f"Shown {_SHOWN_AS[shown.look]}.", head, rows, numbers=(1, 2, 3, 4)),
        PlotRow(
            "histograms",
            tuple(
                PlotBlock(
                    ChannelPlot(f"{shown.name} {each.name}", shown.ends, each.counts, each.mean),
                    (each.name or "all values", f" mean {each.mean:.4g}"),
                )
                for each in shown.channels
            ),
            "Values across, how many upwards; the mean is dashed.",
        ),
    ]
    if shown.first:
        lines = tuple(
            ((name,), (Code(text),)) for name, text in zip(preview.names, shown.first, strict=True)
        )
        blocks.append(TableBlock("How the samples begin.", ("sample", "values"), lines))
    return Section(f"Input {shown.name}", tuple(blocks))


def _show_first_layer(preview: DataPreview) -> tuple[Block, ...]:
    first = preview.first_layer
    if first is None:
        return (Paragraph((f"Not known: {preview.unknown or 'no input is a picture'}.",)),)
    rows: tuple[tuple[InlineText, ...], ...] = tuple(
        ((name,), (f"{value:.2f}",))
        for name, value in sorted(first.distances.items(), key=lambda item: item[1])
    )
    told = (
        "How far what the layer makes of the samples is from what it made in training, by the "
        "statistics of the normalization behind it: the mean over the channels, in deviations."
    )
    return (
        Paragraph(
            ("The first layer is ", Code(first.layer), ", behind it ", Code(first.normalization))
        ),
        TableBlock(told, ("samples", "deviations off"), rows, numbers=(1,)),
    )
