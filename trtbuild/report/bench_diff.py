"""How two results of a bench differ, as a page: for a pull request, say."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.core.bench_diff import BenchDiff
from trtbuild.core.durations import format_shapes, format_times
from trtbuild.report.blocks import (
    Aside,
    Block,
    Bullets,
    Code,
    Page,
    Paragraph,
    Section,
    State,
    TableBlock,
    Tone,
    parse_prose,
)

__all__ = ["make_bench_diff_page"]

_TONES: dict[str, Tone] = {"faster": "good", "slower": "bad"}


def make_bench_diff_page(found: BenchDiff) -> Page:
    """Return a page: the verdict, a row a variant and shapes, what is gone and new, and notes."""
    return Page(
        title=f"Speed: {found.before} → {found.after}",
        caveats=(),
        lead=(),
        sections=(Section(_conclude(found), tuple(_list_blocks(found))),),
    )


def _conclude(found: BenchDiff) -> str:
    counts = {
        word: sum(each.found == word for each in found.moved) for word in ("slower", "faster")
    }
    told = [f"{count} of {len(found.moved)} {word}" for word, count in counts.items() if count]
    return ", ".join(told) or "No time moved beyond noise"


def _list_blocks(found: BenchDiff) -> Iterator[Block]:
    rows = tuple(
        (
            (Code(each.variant),),
            (format_shapes(each.shapes),),
            (State(each.found, _TONES.get(each.found, "plain")),),
            (
                format_times(each.ratio),
                Aside(f"{format_times(each.low)} to {format_times(each.high)}"),
            ),
        )
        for each in found.moved
    )
    caption = "The time before over the time now, with the interval of 99.9 %"
    yield TableBlock(caption, ("Variant", "Inputs", "Now", "Times as fast"), rows, numbers=(3,))
    yield Paragraph(
        parse_prose("Runs that are apart must differ by more than 3 % to be told apart.")
    )
    told = [f"gone: {name}" for name in found.gone] + [f"new: {name}" for name in found.come]
    if items := (*told, *found.notes):
        yield Bullets(tuple(map(parse_prose, items)))
