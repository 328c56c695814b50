"""Two results of a bench, held against each other; refused where they cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.core.bench_diff import BenchDiff
from trtbuild.core.durations import format_shapes
from trtbuild.core.errors import UsageError
from trtbuild.core.protocol import Protocol, digest_of_protocol
from trtbuild.core.timing import BenchResult, SpeedRow
from trtbuild.timing.contrasts import compare_apart

__all__ = ["compare_benches", "demand_protocol"]


def compare_benches(
    before: BenchResult, after: BenchResult, *, names: tuple[str, str]
) -> BenchDiff:
    """Compare the rows of two results, variant by variant and shapes by shapes.

    Raises:
        UsageError: they are under two protocols, or of two machines.
    """
    _demand_alike(before, after)
    old, new = ({_key(row): row for row in each.rows} for each in (before, after))
    moved = tuple(
        compare_apart(row.variant, "before", row.shapes, row.host.blocks, old[key].host.blocks)
        for key, row in new.items()
        if key in old
    )
    return BenchDiff(
        before=names[0],
        after=names[1],
        moved=moved,
        gone=tuple(key for key in old if key not in new),
        come=tuple(key for key in new if key not in old),
        notes=tuple(_list_notes(before, after)),
    )


def _key(row: SpeedRow) -> str:
    return f"{row.variant} at {format_shapes(row.shapes)}"


_HINT = "measure both alike: `trtbuild bench` on one machine, with one protocol"


def demand_protocol(before: BenchResult, protocol: Protocol) -> None:
    """Refuse to hold what is measured by a protocol against what was measured by another.

    Raises:
        UsageError: it was; says in what they differ.
    """
    if before.protocol_digest != digest_of_protocol(protocol):
        one, other = before.protocol.model_dump(), protocol.model_dump()
        told = [
            f"  {name}: {one[name]} → {other[name]}" for name in one if one[name] != other[name]
        ]
        raise UsageError(
            "the two were measured under different protocols, and times under two say nothing",
            lines=told or ["  one of them was measured by another trtbuild"],
            hint=_HINT,
        )


def _demand_alike(before: BenchResult, after: BenchResult) -> None:
    demand_protocol(before, after.protocol)
    gpu = any(each.on == "gpu" for each in (*before.variants, *after.variants))
    if moved := before.machine.list_differences(after.machine, gpu=gpu):
        raise UsageError(
            "the two were measured on different machines, and times on two say nothing",
            lines=[f"  {each}" for each in moved],
            hint=_HINT,
        )


def _list_notes(before: BenchResult, after: BenchResult) -> Iterator[str]:
    old = {each.name: each for each in before.variants}
    for each in after.variants:
        was = old.get(each.name)
        if was is None:
            continue
        if was.model_digest != each.model_digest:
            yield f"{each.name}: another model"
        for name in sorted(was.libraries.keys() | each.libraries.keys()):
            then, now = was.libraries.get(name, "none"), each.libraries.get(name, "none")
            if then != now:
                yield f"{each.name}: {name} {then} → {now}"
    yield from (f"before: {each}" for each in before.doubts)
    yield from (f"after: {each}" for each in after.doubts)
