"""What of a file of ranges concerns a model, and what a reader must know of the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from trtbuild.calib.table import RangeTable
from trtbuild.core.values import Ranges
from trtbuild.core.words import few, figure

__all__ = ["imported", "listed", "remarks"]

SHOWN = 5
"""How many names a remark lists before it counts the rest."""
LARGE = 10.0
"""A scale of a network input (±1270) beyond which somebody should look."""


def imported(table: RangeTable, names: Collection[str]) -> Ranges:
    """Return the ranges of the tensors that a model has; where they come from is this file."""
    known = {
        name: each.model_copy(update={"origin": "imported", "entry": None, "tied_with": ()})
        for name, each in table.ranges.tensors.items()
        if name in names
    }
    return Ranges(tensors=known)


def remarks(
    table: RangeTable,
    names: Collection[str],
    *,
    wanted: Collection[str],
    lacking: Sequence[str],
    inputs: Sequence[str],
) -> Iterator[str]:
    """Say how much of what INT8 wants a file covers, what it lacks, and what is doubtful in it.

    `names` are all tensors of the model, `wanted` those that INT8 needs a range for, `lacking`
    those of them that get none from the file.
    """
    found = table.ranges.tensors
    covered = len(wanted) - len(lacking)
    share = f" ({figure(covered / len(wanted), 'share')})" if wanted else ""
    yield f"{table.told}: covers {covered} of the {len(wanted)} tensors that INT8 needs{share}"
    if lacking:
        yield f"without a range: {listed(lacking)}"
    unknown = [name for name in found if name not in names]
    if unknown:
        yield f"{len(unknown)} of its {len(found)} names are not in the model: {listed(unknown)}"
    if table.unknown:
        yield f"{len(table.unknown)} with scale 0, which says nothing: {listed(table.unknown)}"
    for name in inputs:
        if name in found and found[name].scale > LARGE:
            yield (
                f"the input `{name}` has the scale {found[name].scale:.3g}, a range of "
                f"±{found[name].limit:.3g}: is that so?"
            )


def listed(names: Sequence[str]) -> str:
    """Join names, and count those beyond the first few."""
    return few([f"`{name}`" for name in names], SHOWN)
