"""Rounding by reconstruction: each weight up or down as the layer's output wants it.

The aim is that of AdaRound (Nagel et al. 2020, arXiv:2004.10568), layer by layer: a layer's output
is to be what it is in the float model, as far as what the layers before it made of its input allows
that. What stands in for its optimizer is coordinate descent on the second moments of the input, as
in Frantar et al. 2022 (arXiv:2210.17323): exact, without a seed or a learning rate, and nothing but
sums is kept of the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trtbuild.quant.adjusting.moments import Means

    Floats = npt.NDArray[np.float64]

__all__ = ["measure_errors", "round_jointly"]

BLOCK = 64
"""Inputs after which the changes are passed on to all others at once."""
SWEEPS = 6
DAMPING = 0.03
"""How much each weight is held to its own value, as a share of the mean square of an input: few
samples say little of many weights."""
TRUST = 0.5
"""How much of the aim is what the float model makes; the rest is what float weights make of the
input that there is. With the first alone, weights shrink: what is wrong with the input weakens what
it tells of the output, as noise does in any regression."""
FINE = 2.0**10
"""Parts of a step of INT8 in which exact weights are told apart."""
GRAIN = 2.0**30
"""Of the largest second moment: an integer, whose sums of products float64 holds in any order."""


def round_jointly(exact: Floats, means: Means) -> Floats:
    """Return the integers q, each next to its exact value, whose q·x is nearest to the aim.

    `exact` are the weights [group, out, k] in units of their scales; the means are of x as
    integers, and of y in units of both scales.
    """
    import numpy as np

    moments, unit = _grain(means.squares)
    curve = np.diagonal(moments, axis1=1, axis2=2)
    held = DAMPING * np.add.reduce(curve, axis=1, keepdims=True) / curve.shape[1] + 1.0
    found = np.clip(np.rint(exact), -127, 127)
    aim = TRUST * means.products / unit + (1 - TRUST) * _multiply(exact, moments)
    slope = found @ moments - aim + held[:, :, None] * (found - exact)
    bounds = np.clip(np.floor(exact), -127, 127), np.clip(np.ceil(exact), -127, 127)
    for _ in range(SWEEPS):
        before = found.copy()
        for start in range(0, found.shape[2], BLOCK):
            part = slice(start, start + BLOCK)
            changed = _descend(found, slope, moments, held, bounds, part)
            if changed.any():
                slope += changed @ moments[:, part]
                slope[:, :, part] += held[:, :, None] * changed
        if np.array_equal(before, found):
            break
    return found


def _descend(
    found: Floats,
    slope: Floats,
    moments: Floats,
    held: Floats,
    bounds: tuple[Floats, Floats],
    part: slice,
) -> Floats:
    """Move the weights of some inputs, one input after the other; return by how much."""
    import numpy as np

    before = found[:, :, part].copy()
    here = slope[:, :, part].copy()
    square = moments[:, part, part]
    for column in range(before.shape[2]):
        at = part.start + column
        steep = square[:, column, column, None] + held
        old = found[:, :, at]
        new = np.rint(old - here[:, :, column] / steep)
        new = np.clip(new, bounds[0][:, :, at], bounds[1][:, :, at])
        move = new - old
        if move.any():
            found[:, :, at] = new
            here += move[:, :, None] * square[:, None, column]
            here[:, :, column] += held * move
    return found[:, :, part] - before


def _multiply(exact: Floats, moments: Floats) -> Floats:
    """Return exact · moments, in parts whose sums of products float64 holds in any order."""
    import numpy as np

    whole = np.rint(exact)
    rest = np.rint((exact - whole) * FINE)
    product: Floats = whole @ moments + (rest @ moments) / FINE
    return product


def _grain(squares: Floats) -> tuple[Floats, Floats]:
    """Return moments as integers, and what one of them is worth in each group."""
    import numpy as np

    largest = np.diagonal(squares, axis1=1, axis2=2).max(axis=1, initial=0)
    unit = np.where(largest > 0, largest / GRAIN, 1.0)[:, None, None]
    return np.rint(squares / unit), unit


def measure_errors(found: Floats, means: Means) -> Floats:
    """Return E (q·x - y)² of each output [group, out], y in units of both scales."""
    import numpy as np

    moments, unit = _grain(means.squares)
    crossed = (found @ moments) * unit
    errors = means.powers + ((crossed - 2 * means.products) * found).sum(axis=2)
    return np.maximum(errors, 0)  # type: ignore[no-any-return]
