"""Judge: how far what a quantized model computes is from the model's own, for any limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.model.feeds import Feed
from trtbuild.model.session import Session

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Errors", "Judge", "NothingToJudge"]

MOST_BYTES = 1 << 28
"""Of samples and of the model's own outputs that are held."""
LEAST, MOST = 1e-8, 1e8
"""Errors between which there is a difference: of an output that saturates, the rest is noise."""
DITHER = 0.06
"""By so much at most a sample's limits are wider than asked, each tensor's by another share.

How INT8 rounds is chance: limits 1 % apart differ by 1 dB and more in a classifier's logits, and by
chance alone. Over limits that are a little unlike, it averages out. Narrower ones would clip the
many values that stand at the bound of a ReLU6 or a Sigmoid."""
STEPS = 0.6180339887498949, 0.7548776662466927
"""Whose multiples fill the unit interval evenly, by sample and by tensor."""
CLEAR_DB = 0.1
"""What is less is not worth a second look, however sure."""


class NothingToJudge(ValueError):
    """No output holds floats that tell anything."""


class Errors(NamedTuple):
    """The power of the error over that of the signal, of each output and sample."""

    shares: tuple[tuple[float, ...], ...]
    """By output, then by sample."""

    @property
    def decibels(self) -> float:
        """Signal over error in dB, the mean over all outputs.

        Of an output it is that of the mean share of error over the samples: one that is clipped
        badly is not made up for by many that are a little better.
        """
        return _mean([-10 * math.log10(_mean(each)) for each in self.shares])

    def pick(self, start: int, step: int) -> Errors:
        """Return those of every so many samples."""
        return Errors(tuple(each[start::step] for each in self.shares))

    def join(self, odd: Errors) -> Errors:
        """Return these and those of the samples between them, in the samples' order."""
        joined = []
        for even, other in zip(self.shares, odd.shares, strict=True):
            both = [0.0] * (len(even) + len(other))
            both[::2], both[1::2] = even, other
            joined.append(tuple(both))
        return Errors(tuple(joined))

    def is_clearly_better(self, other: Errors) -> bool:
        """Tell whether these are less by more than chance: in sum, and in each half of the samples.

        The chance is the jackknife's: the spread of the difference where one sample is left out.
        """
        gain = self.decibels - other.decibels
        count = len(self.shares[0])
        halves = [(start, 2) for start in range(min(2, count))]
        if any(self.pick(*half).decibels <= other.pick(*half).decibels for half in halves):
            return False
        if count == 1:
            return gain > CLEAR_DB
        without = [self._leave(i).decibels - other._leave(i).decibels for i in range(count)]
        middle = _mean(without)
        spread = math.fsum((each - middle) ** 2 for each in without) * (count - 1) / count
        return gain > max(CLEAR_DB, math.sqrt(spread))

    def _leave(self, index: int) -> Errors:
        return Errors(tuple((*each[:index], *each[index + 1 :]) for each in self.shares))


class Judge:
    """Runs a model with Q/DQ pairs whose scales are inputs, against the model as it is.

    Each sample is run on one thread and errors keep the order of the samples, so that the number of
    threads changes none.
    """

    def __init__(  # two sessions, what is fed, and how
        self,
        plain: Session,
        quantized: Session,
        feeds: Sequence[Feed],
        scales: Callable[[Mapping[str, float]], Mapping[str, np.ndarray]],
        *,
        fixed: Sequence[str] = (),
        workers: int = 1,
    ) -> None:
        """Run the model as it is over the feeds, as many as fit MOST_BYTES, and at least one.

        The limits of `fixed` tensors are taken as they are, all others with a DITHER.

        Raises:
            NothingToJudge: no output holds floats, finite and not all zero.
            StepInputError: a feed cannot be run.
        """
        self._quantized = quantized
        self._scales = scales
        self._fixed = frozenset(fixed)
        self._workers = workers
        self._held: list[tuple[Feed, dict[str, np.ndarray]]] = []
        size = 0
        for feed in feeds:
            with feed.blamed():
                own = {name: each for name, each in plain.run(feed.arrays).items() if _tells(each)}
            size += sum(each.nbytes for each in (*feed.arrays.values(), *own.values()))
            if size > MOST_BYTES and self._held:
                break
            self._held.append((feed, own))
        if not any(map(_energy, (each for _, own in self._held for each in own.values()))):
            raise NothingToJudge

    @property
    def samples(self) -> int:
        """How many samples it runs."""
        return sum(len(feed.samples) for feed, _ in self._held)

    @property
    def runs(self) -> int:
        """How many runs over a table of limits it takes."""
        return len(self._held)

    def __call__(self, limits: Mapping[str, float], start: int = 0, step: int = 1) -> Errors:
        """Return the errors with these limits, of every `step` of the runs."""

        def measure(index: int) -> dict[str, float]:
            feed, own = self._held[index]
            scales = self._scales(self._dither(limits, index))
            with feed.blamed():
                found = self._quantized.run({**feed.arrays, **scales}, list(own))
            return {name: _find_error(each, found[name]) for name, each in own.items()}

        with ThreadPoolExecutor(self._workers) as pool:
            found = list(pool.map(measure, range(start, len(self._held), step)))
        # What is finite in some samples alone is not compared.
        names = [name for name in self._held[0][1] if all(name in own for _, own in self._held)]
        return Errors(tuple(tuple(each[name] for each in found) for name in names))

    def _dither(self, limits: Mapping[str, float], index: int) -> dict[str, float]:
        by_sample, by_tensor = STEPS
        return {
            name: limit
            if name in self._fixed
            else limit * (1 + DITHER * ((index * by_sample + place * by_tensor) % 1))
            for place, (name, limit) in enumerate(limits.items())
        }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _tells(values: np.ndarray) -> bool:
    import numpy as np

    return values.dtype.kind == "f" and bool(values.size) and bool(np.isfinite(values).all())


def _energy(values: np.ndarray) -> float:
    import numpy as np

    return float(np.square(values, dtype=np.float64).sum())


def _find_error(own: np.ndarray, found: np.ndarray) -> float:
    """Return the power of the error over that of the signal, between LEAST and MOST."""
    if own.shape != found.shape:  # what an operator like NonZero makes
        return 1.0
    power, error = _energy(own), _energy(own - found)
    if not power or not error:
        return LEAST
    # Written so that an error that is not a number counts as the worst.
    return max(error / power, LEAST) if error <= power * MOST else MOST
