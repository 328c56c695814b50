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
    Places = npt.NDArray[np.intp]

__all__ = ["measure_errors", "round_jointly"]

BLOCK = 64
"""Inputs after which the changes are passed on to all others at once."""
SWEEPS = 6
DAMPING = 0.03
"""How much each weight is held to its own value, as a share of the mean square of an input: few
samples say little of many weights."""
SETTLED = 0.001
"""Share of weights that still turn, at which the rest is left."""
TRUST = 0.25
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
    held = DAMPING * np.trace(moments, axis1=1, axis2=2)[:, None, None] / exact.shape[2] + 1.0
    found = np.clip(np.rint(exact), -127, 127)
    aim = TRUST * means.products / unit + (1 - TRUST) * _multiply(exact, moments)
    slope = found @ moments - aim + held * (found - exact)
    both = np.clip(np.floor(exact), -127, 127) + np.clip(np.ceil(exact), -127, 127)
    for _ in range(SWEEPS):
        before = found.copy()
        for start in range(0, exact.shape[2], BLOCK):
            part = slice(start, start + BLOCK)
            turn = both[:, :, part] - 2 * found[:, :, part]
            block = _Block(found[:, :, part], turn, moments[:, part, part])
            block.descend(slope[:, :, part], held)
            turned = found[:, :, part] - before[:, :, part]
            if turned.any():
                slope += turned @ moments[:, part]
                slope[:, :, part] += held * turned
        if np.count_nonzero(before != found) <= SETTLED * found.size:
            break
    return found


class _Block:
    """Some inputs of a layer, while weights of them are turned: up to down, or down to up.

    What is decided in here needs no more digits than float32 has; the error itself is kept outside.
    """

    def __init__(self, integers: Floats, turn: Floats, moments: Floats) -> None:
        import numpy as np

        self._integers = integers
        """A view of them: [group, out, k], as is all else."""
        self._turn = turn.astype(np.float32)
        """What turning adds to each: 1, -1, or 0 where the exact value is an integer."""
        self._moments = moments.astype(np.float32)
        self._change = np.empty_like(self._turn)
        """What turning a weight alone adds to the error."""

    def descend(self, slope: Floats, held: Floats) -> None:
        """Turn what lessens the error: one input after the other, alone or with one more.

        `slope` is half of how the error changes with each weight, and `held` what any move costs.
        """
        import numpy as np

        steep = np.diagonal(self._moments, axis1=1, axis2=2)[:, None] + held
        self._change[:] = np.where(self._turn != 0, 2 * slope * self._turn + steep, np.inf)
        for at in range(self._turn.shape[2]):
            own = self._turn[:, :, at, None]
            both = self._moments[:, at, None] * self._turn
            both *= 2 * own
            both += self._change
            both[:, :, at] = 0  # alone
            other = both.argmin(axis=2)
            least = np.take_along_axis(both, other[:, :, None], axis=2)[:, :, 0]
            group, out = np.nonzero(self._change[:, :, at] + least < 0)
            if len(group):
                second = other[group, out]
                self._move(group, out, np.full_like(second, at))
                pair = second != at
                self._move(group[pair], out[pair], second[pair])

    def _move(self, group: Places, out: Places, at: Places) -> None:
        """Turn one weight in each of some outputs."""
        move = self._turn[group, out, at]
        old = self._change[group, out, at]
        self._integers[group, out, at] += move
        felt = self._moments[group, at] * (2 * move[:, None])
        self._change[group, out] += felt * self._turn[group, out]
        self._turn[group, out, at] = -move
        self._change[group, out, at] = -old


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
