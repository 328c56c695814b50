"""Record → Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from trtbuild.core.records import Record
from trtbuild.report.blocks import (
    Aside,
    Bar,
    Block,
    Bullets,
    Code,
    Fold,
    InlineText,
    KeyFigures,
    Page,
    Paragraph,
    Picture,
    PlotRow,
    Pre,
    State,
    TableBlock,
    flatten_line,
    flatten_span,
)
from trtbuild.report.content import make_page

__all__ = ["render_markdown", "render_markdown_page"]

# Brackets are left alone unless they would make a link: shapes are written [2, 3].
_SPECIAL = re.compile(r"[\\`*<|]|~(?=~)|\](?=[(\[:])|(?<!\w)_|_(?!\w)|&(?=#?\w+;)")
_OPENING = re.compile(r"^(?:[-+>#=]|\d+(?=[.)]))")
"""What would start a list, a quotation or a heading at the start of a line."""
_RUNS = re.compile(r"`+")


def render_markdown(record: Record) -> str:
    """Render a record as GitHub's Markdown; equal records give equal text."""
    return render_markdown_page(make_page(record))


def render_markdown_page(page: Page) -> str:
    """Render a page as GitHub's Markdown."""
    caveats = ", ".join(page.caveats)
    title = f"# {_text(page.title)}" + (f" ({_text(caveats)})" if caveats else "")
    blocks = [title, *_blocks(page.lead, caveats)]
    for section in page.sections:
        if section.background:
            blocks.append(_block(Fold(section.title, section.blocks), caveats))
        else:
            blocks += [f"## {_text(section.title)}", *_blocks(section.blocks, caveats)]
    return "\n\n".join(blocks) + "\n"


def _blocks(blocks: Iterable[Block], caveats: str) -> list[str]:
    return [text for block in blocks if (text := _block(block, caveats))]


def _block(block: Block, caveats: str) -> str:
    match block:
        case Paragraph() | Pre() | Bullets():
            return _words(block)
        case KeyFigures():
            return _keys(block, caveats)
        case TableBlock():
            return _table(block, caveats)
        case PlotRow():
            return _figures(block, caveats)
        case Fold():
            return _fold(block, caveats)
        case Picture(_, words):
            return _line((words,))


def _words(block: Paragraph | Pre | Bullets) -> str:
    match block:
        case Paragraph(spans):
            return _line(spans)
        case Pre(text):
            fence = _make_fence(text, 3)
            return f"{fence}text\n{text}\n{fence}"
        case Bullets(items):
            return "\n".join(f"- {_line(item)}" for item in items)


def _figures(figures: PlotRow, caveats: str) -> str:
    """Write what the plots show, without how to read them."""
    words = Bullets(tuple(each.caption for each in figures.items))
    return _fold(Fold(figures.summary, (words,)), caveats) if figures.summary else ""


def _fold(fold: Fold, caveats: str) -> str:
    body = "\n\n".join(_blocks(fold.blocks, caveats))
    summary = html.escape(flatten_line(fold.summary), quote=False)
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _note(caveats: str) -> str:
    return f" *({_text(caveats)})*" if caveats else ""


def _line(spans: InlineText) -> str:
    """Return a run of text that begins a line, and is no list, quotation or heading."""
    return _OPENING.sub(_escape_opening, _inline(spans))


def _escape_opening(match: re.Match[str]) -> str:
    # A digit cannot be escaped; the point or bracket after it can, and ends the match.
    return match[0] + "\\" if match[0].isdigit() else "\\" + match[0]


def _keys(keys: KeyFigures, caveats: str) -> str:
    lines = []
    for key in keys.items:
        detail = f", {_inline(key.detail)}" if key.detail else ""
        lines.append(f"- **{_text(key.label)}**: {_text(key.value)}{detail}{_note(caveats)}")
    return "\n".join(lines)


def _table(table: TableBlock, caveats: str) -> str:
    caption = " · ".join(part for part in (table.caption, caveats) if part)
    rules = ("---:" if column in table.numbers else "---" for column in range(len(table.head)))
    lines = [
        f"*{_text(caption)}*",
        "",
        _row(_text(head) for head in table.head),
        _row(rules),
        *(_row(_cell(cell) for cell in row) for row in table.rows),
    ]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(spans: InlineText) -> str:
    # A pipe ends a cell even inside a code span; text has escaped its own.
    return "".join(
        _code(span.text).replace("|", "\\|") if isinstance(span, Code) else _inline((span,))
        for span in spans
    )


def _inline(spans: InlineText) -> str:
    written = []
    for span in spans:
        match span:
            case str():
                written.append(_text(span))
            case Code(text):
                written.append(_code(text))
            case State(text, tone):
                written.append(f"**{_text(text)}**" if tone != "plain" else _text(text))
            case Bar():
                written.append(_text(span.text))
            case Aside(text):
                written.append(f" ({_text(text)})")
    return "".join(written)


def _text(text: str) -> str:
    """Escape what Markdown would read as markup."""
    return _SPECIAL.sub(lambda match: "\\" + match[0], flatten_span(text))


def _code(text: str) -> str:
    line = flatten_line(text)
    fence = _make_fence(line, 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line else ""


def _make_fence(text: str, least: int) -> str:
    longest = max((len(run) for run in _RUNS.findall(text)), default=0)
    return "`" * max(least, longest + 1)
