"""Parts of outputs, written as NumPy slices them: `output0[:, 4:]`."""

from __future__ import annotations

import re
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from trtbuild.core.arrays import RaggedRows
from trtbuild.core.frozen import frozen
from trtbuild.measure.pairs import Output

if TYPE_CHECKING:
    import numpy as np

Index = tuple[slice | int | EllipsisType, ...]

__all__ = ["OutputPart", "format_slices", "parse_part"]

_WHOLE = r"[+-]?\d{1,18}"
_MOST_ITEMS = 32
"""The most axes that a NumPy array of any version has."""
EXAMPLE = "write `NAME[:, 4:]`, the slices of NumPy, the first of them `:` for the batch"


@frozen
class OutputPart:
    """A part of an output: the same slices of every sample."""

    output: str
    index: Index
    """Over the output with its batch axis, which it leaves whole."""

    def explain_misfit(self, shape: tuple[int | None, ...]) -> str:
        """Say why it selects nothing of such an output; nothing where it does, or may.

        `shape` is the output's, batch axis included; None is a size that is not known.
        """
        items: list[slice | int] = []
        for each in self.index:
            fill = len(shape) - len(self.index) + 1
            items += [slice(None)] * fill if isinstance(each, EllipsisType) else [each]
        if len(items) > len(shape):
            return f"it has {len(items)} slices, and the output {len(shape)} axes"
        if not items or items[0] != slice(None):
            return "it cuts the batch axis, which must stay whole"
        for axis, (item, size) in enumerate(zip(items, shape, strict=False)):
            if size is None:
                continue
            if isinstance(item, int) and not -size <= item < size:
                return f"axis {axis} has {size} places, so there is no {item}"
            if isinstance(item, slice) and not range(*item.indices(size)):
                return f"axis {axis} has {size} places, and {_write(item)} is none of them"
        return ""

    def cut(self, output: Output) -> Output:
        """Return the part of an output of all samples, without reading it."""
        if isinstance(output, RaggedRows):
            return _CutRows(output, self.index)
        found: np.ndarray = output[self.index]
        return found


class _CutRows(RaggedRows):
    """The same part of each of several rows."""

    def __init__(self, rows: RaggedRows, index: Index) -> None:
        self._rows = rows
        self._index = index
        self.shapes = [self.row(number).shape for number in range(len(rows))]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of every value."""
        return self._rows.dtype

    def row(self, index: int) -> np.ndarray:
        """Return the part of a row."""
        found: np.ndarray = self._rows.row(index)[None][self._index][0]
        return found


def parse_part(text: str) -> OutputPart:
    """Read a part of an output.

    Raises:
        ValueError: it is none; says what would be.
    """
    name, bracket, rest = text.strip().rpartition("[")
    if not bracket or not name.strip() or not rest.endswith("]"):
        raise ValueError(f"`{text}` is no part of an output; {EXAMPLE}")
    items = [item.strip() for item in rest[:-1].split(",")]
    if len(items) > 1 and not items[-1]:
        del items[-1]
    if len(items) > _MOST_ITEMS:
        raise ValueError(f"`{text[:40]}...` has more axes than any array; {EXAMPLE}")
    index = tuple(_read(item, text) for item in items)
    if index.count(Ellipsis) > 1:
        raise ValueError(f"`{text}` has two `...`; write one at most")
    if index[0] is not Ellipsis and index[0] != slice(None):
        raise ValueError(f"`{text}` cuts axis 0, the batch; {EXAMPLE}")
    return OutputPart(name.strip(), index)


def _read(item: str, text: str) -> slice | int | EllipsisType:
    if item == "...":
        return Ellipsis
    if re.fullmatch(_WHOLE, item):
        return int(item)
    numbers = [each.strip() for each in item.split(":")]
    fits = all(not each or re.fullmatch(_WHOLE, each) for each in numbers)
    if not fits or len(numbers) not in (2, 3):
        raise ValueError(f"`{text}`: `{item}` is no slice; {EXAMPLE}")
    found = slice(*(int(each) if each else None for each in numbers))
    if found.step == 0:
        raise ValueError(f"`{text}`: a slice with step 0 has no end; write another step")
    return found


def format_slices(axis: int, chosen: slice) -> str:
    """Write the slices that cut one axis alone: `[:, 4:84]`."""
    return f"[{', '.join([*[':'] * axis, _write(chosen)])}]"


def _write(chosen: slice) -> str:
    start, stop = ("" if each is None else str(each) for each in (chosen.start, chosen.stop))
    return f"{start}:{stop}" + ("" if chosen.step is None else f":{chosen.step}")
