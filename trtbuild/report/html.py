"""Record → one self-contained page."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from trtbuild.core.digest import digest_of_bytes
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
    Section,
    Span,
    State,
    TableBlock,
    flatten_span,
)
from trtbuild.report.content import make_page
from trtbuild.report.plots import draw

__all__ = ["render_html", "render_page"]

_TEMPLATE = Path(__file__).with_name("page.html")
_STYLE = re.compile("<style>(.*)</style>", re.DOTALL)


def render_html(record: Record) -> str:
    """Render a record as one HTML page without scripts or anything from elsewhere.

    Everything from the record is escaped, and should something slip through, a browser runs and
    fetches nothing: the page's policy allows its own style alone. Equal records give equal pages.
    """
    return render_page(make_page(record))


def render_page(page: Page) -> str:
    """Render a page, under the same policy; pictures in it are its own."""
    caveats = ", ".join(page.caveats)
    text = _TEMPLATE.read_text(encoding="utf-8")
    return Template(text).substitute(
        policy=_policy(text, pictures=_has_picture(page)),
        title=_text(page.title + (f" ({caveats})" if caveats else "")),
        heading=_text(page.title),
        caveats=f'<p class="caveat">{_text(caveats)}</p>' if caveats else "",
        contents=_contents(page),
        lead=_blocks(page.lead, caveats),
        sections="\n".join(
            _section(number, section, caveats) for number, section in enumerate(page.sections, 1)
        ),
    )


def _section(number: int, section: Section, caveats: str) -> str:
    title = f"<h2>{_text(section.title)}</h2>"
    body = _blocks(section.blocks, caveats)
    if section.background:
        inner = f"<details>\n<summary>{title}</summary>\n{body}\n</details>"
        return f'<section id="s{number}" class="background">\n{inner}\n</section>'
    return f'<section id="s{number}">\n{title}\n{body}\n</section>'


def _has_picture(page: Page) -> bool:
    return any(isinstance(each, Picture) for part in page.sections for each in part.blocks)


def _policy(template: str, *, pictures: bool) -> str:
    """Return the page's content security policy, which knows its style by its digest."""
    (style,) = _STYLE.findall(template)
    _, _, digest = digest_of_bytes(style.encode()).partition(":")
    known = base64.b64encode(bytes.fromhex(digest)).decode()
    allowed = f"style-src 'sha256-{known}'" + ("; img-src data:" if pictures else "")
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _contents(page: Page) -> str:
    return "\n".join(
        f'<a href="#s{number}">{_text(section.title)}</a>'
        for number, section in enumerate(page.sections, 1)
    )


def _blocks(blocks: Iterable[Block], caveats: str) -> str:
    return "\n".join(_block(block, caveats) for block in blocks)


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
        case Picture(png, words):
            data = base64.b64encode(png).decode()
            return f'<img class="sheet" src="data:image/png;base64,{data}" alt="{_text(words)}">'


def _words(block: Paragraph | Pre | Bullets) -> str:
    match block:
        case Paragraph(spans):
            return f"<p>{_inline(spans)}</p>"
        case Pre(text):
            return f"<pre>{escape(text)}</pre>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>"


def _fold(fold: Fold, caveats: str) -> str:
    return (
        f"<details><summary>{_text(fold.summary)}</summary>\n"
        f"{_blocks(fold.blocks, caveats)}\n</details>"
    )


def _keys(keys: KeyFigures, caveats: str) -> str:
    cards = []
    for key in keys.items:
        note = f'<span class="note">{_text(caveats)}</span>' if caveats else ""
        after = "".join(f"<small>{each}</small>" for each in (_inline(key.detail), note) if each)
        cards.append(
            f'<div class="key {key.tone}"><span>{_text(key.label)}</span>'
            f"<strong>{_text(key.value)}</strong>{after}</div>"
        )
    return '<div class="keys">\n' + "\n".join(cards) + "\n</div>"


def _figures(figures: PlotRow, caveats: str) -> str:
    note = f' · <span class="note">{_text(caveats)}</span>' if caveats else ""
    drawn = (
        f"<figure>{draw(each.plot)}<figcaption>{_inline(each.caption)}{note}</figcaption></figure>"
        for each in figures.items
    )
    legend = f"<p>{_text(figures.legend)}</p>\n" if figures.legend else ""
    return legend + '<div class="figures">\n' + "\n".join(drawn) + "\n</div>"


def _table(table: TableBlock, caveats: str) -> str:
    note = f' · <span class="note">{_text(caveats)}</span>' if caveats else ""
    marks = [' class="number"' if i in table.numbers else "" for i in range(len(table.head))]
    head = "".join(
        f"<th{mark}>{_text(name)}</th>" for name, mark in zip(table.head, marks, strict=True)
    )
    rows = "\n".join(_row(row, marks) for row in table.rows)
    return (
        f'<div class="wide"><table>\n<caption>{_text(table.caption)}{note}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(row: tuple[InlineText, ...], marks: list[str]) -> str:
    cells = (f"<td{mark}>{_inline(cell)}</td>" for cell, mark in zip(row, marks, strict=True))
    return f"<tr>{''.join(cells)}</tr>"


def _inline(spans: InlineText) -> str:
    return "".join(_span(span) for span in spans)


def _span(span: Span) -> str:
    match span:
        case Code(text):
            return f"<code>{_text(text)}</code>" if text else ""
        case State(text, tone):
            return f'<span class="state {tone}">{_text(text)}</span>'
        case Bar():
            return _bar(span)
        case Aside(text):
            return f" <small>{_text(text)}</small>"
        case _:
            return _text(span)


def _bar(bar: Bar) -> str:
    width = f"{min(max(bar.share, 0.0), 1.0) * 100:.1f}"
    return (
        f'<span class="barred {bar.tone}"><svg viewBox="0 0 100 8" preserveAspectRatio="none" '
        'aria-hidden="true"><rect class="all" width="100" height="8" rx="4"/>'
        f'<rect class="part" width="{width}" height="8" rx="4"/></svg>{_text(bar.text)}</span>'
    )


def _text(text: str) -> str:
    return escape(flatten_span(text))
