"""Second moments of what a layer reads and makes, as sums of integers: exact in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Means", "Moments"]

EXACT_ROWS = 1024
"""So many products of two INT8 values have a sum that float32 holds: 1024 · 2^14 = 2^24."""
LEVELS = 2.0**15
"""Steps up to an output's largest value; 2^22 rows of 2^15 · 2^15 are what float64 holds."""


class Means(NamedTuple):
    """Means over rows of what a layer reads (x, integers) and makes (y)."""

    squares: Floats
    """x xᵀ: [group, k, k]."""
    products: Floats
    """y xᵀ: [group, out, k]."""
    powers: Floats
    """y²: [group, out]."""

    def in_units(self, unit: Floats) -> Means:
        """Return the same with y in other units, [group, out]."""
        wide = unit[:, :, None]
        return Means(self.squares, self.products / wide, self.powers / (unit * unit))


class Moments:
    """Sums over rows of a layer whose inputs are INT8: x xᵀ, y xᵀ, y², x and y.

    Both factors of every product are integers (outputs are rounded to a fine grid), so that no
    order of summation, and no number of threads, changes a bit of the result.
    """

    def __init__(self, group: int, inputs: int, outputs: int) -> None:
        """Start with no rows; a group has so many inputs and outputs."""
        import numpy as np

        self.inputs = inputs
        """How many values an output is a sum over."""
        self.rows = 0
        self._squares = np.zeros((group, inputs, inputs))
        self._products = np.zeros((group, outputs, inputs))
        self._powers = np.zeros((group, outputs))
        self._inputs = np.zeros((group, inputs))
        self._outputs = np.zeros((group, outputs))
        self._unit = 0.0

    def add(self, inputs: npt.NDArray[np.int8], outputs: npt.NDArray[np.float32]) -> None:
        """Add rows: [row, group, k] of integers, and [row, group, out].

        The first rows decide how fine the grid of outputs is.
        """
        import numpy as np

        self._unit = self._unit or float(np.abs(outputs).max(initial=0)) / LEVELS
        fine = np.rint(outputs.astype(np.float64) / (self._unit or 1.0))
        self.rows += len(inputs)
        self._inputs += inputs.sum(axis=0, dtype=np.int64)
        self._outputs += fine.sum(axis=0)
        self._powers += np.square(fine).sum(axis=0)
        for start in range(0, len(inputs), EXACT_ROWS):
            read = np.moveaxis(inputs[start : start + EXACT_ROWS].astype(np.float32), 0, -1)
            made = np.moveaxis(fine[start : start + EXACT_ROWS], 0, -1)
            turned = np.swapaxes(read, 1, 2)
            self._squares += read @ turned
            self._products += made @ turned.astype(np.float64)

    def finish(self, *, centred: bool) -> Means:
        """Return the means; centred, of what is left of x and y when their means are taken off."""
        unit = self._unit
        squares, products, powers = (
            sums / self.rows for sums in (self._squares, self._products, self._powers)
        )
        if centred:
            read, made = self._inputs / self.rows, self._outputs / self.rows
            squares -= read[:, :, None] * read[:, None, :]
            products -= made[:, :, None] * read[:, None, :]
            powers -= made * made
        return Means(squares, products * unit, powers * (unit * unit))
