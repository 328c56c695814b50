"""How tables of ranges and their differences look in a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_table as columns

if TYPE_CHECKING:
    from trtbuild.core.quantized_types import QuantizedType
    from trtbuild.core.values import Range
    from trtbuild.plan.range_diff import MovedRange, RangeDiff
    from trtbuild.verbs.found_ranges import FoundRanges

__all__ = ["write_diff", "write_table"]

SHOWN = 3
"""How many tensors of a group are named."""

_ORDERS: dict[str, Callable[[tuple[str, Range]], Any]] = {
    "name": lambda item: item[0],
    "limit": lambda item: (-item[1].limit, item[0]),
    "clipped": lambda item: (-(item[1].clipped or 0.0), item[0]),
}


def write_table(found: FoundRanges, sort: str, format_: str) -> None:
    """Write a table of ranges: a line a tensor."""
    rows = sorted(found.ranges.tensors.items(), key=_ORDERS[sort])
    if format_ == "json":
        _json(found, rows)
        return
    head = ("tensor", "low", "high", "limit", "scale", "clipped", "origin")
    cells = [_cells(name, each, found.type) for name, each in rows]
    samples = f", from {found.ranges.samples} samples" if found.ranges.samples else ""
    echo(f"{found.source}: {found.told}{samples}")
    if found.digest:
        echo(f"digest of the table: {found.digest}")
    _table(head, cells, format_)
    echo(_counts([each for _, each in rows]))
    word, largest = found.type.word, f"{found.type.largest:g}"
    echo(f"limit = max(|low|, |high|), since {word} is symmetric; scale = limit / {largest}")
    for name, readers in found.lacking.items():
        shown = _list_names(readers)
        echo(f"no range: `{name}`, read by {shown}")


def write_diff(found: RangeDiff, before: str, after: str, format_: str) -> None:
    """Write what moved between two tables, the worst first, and a line that sums it up."""
    if format_ == "json":
        data = {"before": before, "after": after, **found.model_dump(mode="json")}
        pour(json.dumps(data, indent=2))
        return
    echo(f"{before} → {after}: {_summary(found)}")
    rows = [
        (
            each.tensor,
            _number(each.before),
            _number(each.after),
            "" if each.ratio is None else f"×{each.ratio:.4g}",
            _bits(each),
        )
        for each in found.moved
    ]
    if rows:
        _table(("tensor", "before", "after", "ratio", "resolution"), rows, format_)


def _json(found: FoundRanges, rows: Sequence[tuple[str, Range]]) -> None:
    tensors = {
        name: {
            **each.model_dump(mode="json"),
            "limit": each.limit,
            "scale": each.scale_in(found.type),
        }
        for name, each in rows
    }
    data = {
        "source": found.source,
        "told": found.told,
        "samples": found.ranges.samples,
        "digest": found.digest or None,
        "type": found.type.name,
        "tensors": tensors,
        "lacking": {name: list(readers) for name, readers in found.lacking.items()},
    }
    pour(json.dumps(data, indent=2))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], format_: str) -> None:
    if format_ == "markdown":
        pour(f"\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
        for row in rows:
            # A pipe, even in code, would end the cell.
            cells = [cell.replace("|", "\\|") for cell in (f"`{row[0]}`", *row[1:])]
            echo(f"| {' | '.join(cells)} |")
        echo("")
    else:
        pour(columns([head, *rows]))


def _cells(name: str, each: Range, into: QuantizedType) -> tuple[str, ...]:
    from trtbuild.core.words import format_figure

    clipped = "" if each.clipped is None else format_figure(each.clipped, "share")
    numbers = (each.low, each.high, each.limit, each.scale_in(into))
    return (name, *(f"{number:.6g}" for number in numbers), clipped, _origin(name, each))


def _origin(name: str, each: Range) -> str:
    if each.origin == "imported" and not each.limit:
        return "imported: nothing is known of it"
    words: list[str] = [each.origin]
    if each.found_by:
        words.append(each.found_by)
    if each.entry and each.entry != name:
        words.append(f"by `{each.entry}`")
    if each.tied_with:
        words.append(f"with {_list_names(each.tied_with)}")
    return " ".join(words)


def _list_names(names: Sequence[str]) -> str:
    from trtbuild.core.words import join_few

    return join_few([f"`{name}`" for name in names], SHOWN)


def _counts(rows: Sequence[Range]) -> str:
    counts = dict.fromkeys(("calibrated", "imported", "manual", "tied"), 0)
    for each in rows:
        counts[each.origin] += 1
    told = ", ".join(f"{count} {origin}" for origin, count in counts.items() if count)
    return f"{len(rows)} tensors: {told}" if told else "no ranges"


def _summary(found: RangeDiff) -> str:
    within = f" within {found.tolerance:.4g}" if found.tolerance else ""
    parts = [f"{found.same} of {found.same + len(found.moved)} limits are equal{within}"]
    moved = [each for each in found.moved if each.ratio is not None]
    if moved:
        parts.append(f"{len(moved)} moved (most `{moved[0].tensor}`: {_bits(moved[0])})")
    for word, missing in (("before", "after"), ("after", "before")):
        alone = sum(getattr(each, missing) is None for each in found.moved)
        if alone:
            parts.append(f"{alone} only {word}")
    return ", ".join(parts)


def _bits(each: MovedRange) -> str:
    if each.bits_lost is None:
        return "no range after" if each.after is None else "no range before"
    return f"{abs(each.bits_lost):.2f} bits {'lost' if each.bits_lost > 0 else 'gained'}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
