"""What of a file of ranges concerns a model, and what a reader must know of the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import INT8
from trtbuild.core.values import Ranges
from trtbuild.core.words import format_figure, join_few

if TYPE_CHECKING:
    from trtbuild.calib.range_file import RangeTable

__all__ = ["name_few", "remark_on_file", "select_ranges"]

SHOWN = 5
"""How many names a remark lists before it counts the rest."""
LARGE = 1270.0
"""A limit of a network input, a scale of 10, beyond which somebody should look."""


def select_ranges(table: RangeTable, names: Collection[str]) -> Ranges:
    """Return the ranges of the tensors that a model has; where they come from is this file."""
    known = {
        name: each.model_copy(update={"origin": "imported", "entry": None, "tied_with": ()})
        for name, each in table.ranges.tensors.items()
        if name in names
    }
    return Ranges(tensors=known)


def remark_on_file(
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
    share = f" ({format_figure(covered / len(wanted), 'share')})" if wanted else ""
    yield f"{table.told}: covers {covered} of the {len(wanted)} tensors that INT8 needs{share}"
    if lacking:
        yield f"without a range: {name_few(lacking)}"
    unknown = [name for name in found if name not in names]
    if unknown:
        yield f"{len(unknown)} of its {len(found)} names are not in the model: {name_few(unknown)}"
    if table.unknown:
        yield (
            f"{len(table.unknown)} of which it says nothing (0, infinity or no number): "
            f"{name_few(table.unknown)}"
        )
    if table.form == "onnxruntime" and all(each.low == -each.high for each in found.values()):
        yield (
            "it holds the largest value of a tensor: where ONNX Runtime was not told `symmetric`, "
            "that is too little for one that reaches further down; `calibration.json` has both ends"
        )
    for name in inputs:
        if name in found and found[name].limit > LARGE:
            yield (
                f"the input `{name}` has the scale {found[name].scale_in(INT8):.3g}, a range of "
                f"±{found[name].limit:.3g}: is that so?"
            )


def name_few(names: Sequence[str]) -> str:
    """Join names, and count those beyond the first few."""
    return join_few([f"`{name}`" for name in names], SHOWN)
