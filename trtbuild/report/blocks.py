"""What a page is made of: the same blocks whether it becomes Markdown or HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trtbuild.core.escape import escape_controls
from trtbuild.report.plots import Plot

__all__ = [
    "NOTHING",
    "Aside",
    "Bar",
    "Block",
    "Bullets",
    "Code",
    "Fold",
    "InlineText",
    "KeyFigure",
    "KeyFigures",
    "Page",
    "Paragraph",
    "Picture",
    "PlotBlock",
    "PlotRow",
    "Pre",
    "Section",
    "State",
    "TableBlock",
    "Tone",
    "drop_empty_columns",
    "flatten_line",
    "flatten_span",
    "parse_prose",
    "quote_message",
]

Tone = Literal["good", "bad", "warn", "plain"]


@dataclass(frozen=True)
class Code:
    """A name or number as a machine writes it."""

    text: str


@dataclass(frozen=True)
class State:
    """A word of judgement: passed, failed, deferred."""

    text: str
    tone: Tone


@dataclass(frozen=True)
class Bar:
    """A share in 0..1 and its words; drawn where drawing is possible."""

    share: float
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Aside:
    """What goes with the words before it: beneath them, or in brackets."""

    text: str


Span = str | Code | State | Bar | Aside
InlineText = tuple[Span, ...]
"""A run of text; a plain string in it is text too, never markup."""
NOTHING: InlineText = ("–",)
"""The cell of a value that there is not."""


@dataclass(frozen=True)
class Paragraph:
    """A run of text."""

    spans: InlineText


@dataclass(frozen=True)
class Pre:
    """Text whose lines matter: a quoted message."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[InlineText, ...]


@dataclass(frozen=True)
class TableBlock:
    """A table; the page's caveats are added to its caption."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[InlineText, ...], ...]
    numbers: tuple[int, ...] = ()
    """Columns that are aligned to the right."""


@dataclass(frozen=True)
class KeyFigure:
    """A figure that the reader came for."""

    label: str
    value: str
    detail: InlineText = ()
    tone: Tone = "plain"


@dataclass(frozen=True)
class KeyFigures:
    """The figures at the top; the page's caveats are added."""

    items: tuple[KeyFigure, ...]


@dataclass(frozen=True)
class Fold:
    """Blocks that are folded away until asked for."""

    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class PlotBlock:
    """A plot, and words that tell the most of it where nothing can be drawn."""

    plot: Plot
    caption: InlineText


@dataclass(frozen=True)
class PlotRow:
    """Plots side by side; where only their words are left, these are folded away."""

    summary: str
    """Empty where they say no more than what stands beside them: then they are left out."""
    items: tuple[PlotBlock, ...]
    legend: str = ""
    """How to read them, which only somebody who sees them has to know."""


@dataclass(frozen=True)
class Picture:
    """A picture of pixels, and what it shows in words."""

    png: bytes
    words: str


Block = Paragraph | Pre | Bullets | TableBlock | KeyFigures | Fold | PlotRow | Picture


@dataclass(frozen=True)
class Section:
    """Blocks under a heading."""

    title: str
    blocks: tuple[Block, ...]
    background: bool = False
    """Folded away until asked for, with its title."""


@dataclass(frozen=True)
class Page:
    """A report."""

    title: str
    caveats: tuple[str, ...]
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]


def flatten_line(text: str) -> str:
    """Return text on one line, all of it visible."""
    return escape_controls(" ".join(text.split()))


def drop_empty_columns(table: TableBlock) -> TableBlock:
    """Leave out the columns, but for the first, that hold nothing or only dashes."""
    kept = [
        column
        for column in range(len(table.head))
        if column == 0 or any(row[column] not in ((), ("",), NOTHING) for row in table.rows)
    ]
    return TableBlock(
        table.caption,
        tuple(table.head[column] for column in kept),
        tuple(tuple(row[column] for column in kept) for row in table.rows),
        numbers=tuple(new for new, old in enumerate(kept) if old in table.numbers),
    )


def flatten_span(text: str) -> str:
    """Return a span's text on one line; a space at either end stays, since spans are joined."""
    line = flatten_line(text)
    before = " " if line and text[:1].isspace() else ""
    after = " " if line and text[-1:].isspace() else ""
    return before + line + after if line else text[:1] and " "


def parse_prose(text: str) -> InlineText:
    """Return a sentence as a run of text: what stands between backticks is code."""
    pieces = flatten_span(text).split("`")
    if len(pieces) % 2 == 0:  # a backtick without its partner is only a character
        return (flatten_span(text),)
    spans = (Code(piece) if index % 2 else piece for index, piece in enumerate(pieces))
    return tuple(span for span in spans if span not in ("", Code("")))


def quote_message(text: str) -> Block:
    """Return a message: a sentence as a paragraph, several lines as they are."""
    lines = text.strip().splitlines()
    if len(lines) > 1:
        return Pre("\n".join(escape_controls(line.expandtabs().rstrip()) for line in lines))
    return Paragraph(parse_prose(text.strip()))
