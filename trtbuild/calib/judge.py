"""Judge: how far what a quantized model computes is from the model's own, for any limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from trtbuild.model.feeds import Feed
from trtbuild.model.session import Session

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Judge", "NothingToJudge"]

MOST_BYTES = 1 << 28
"""Of samples and of the model's own outputs that are held."""
LEAST, MOST = 1e-8, 1e8
"""Errors between which there is a difference: of an output that saturates, the rest is noise."""


class NothingToJudge(ValueError):
    """No output holds floats that tell anything."""


class Judge:
    """Runs a model with Q/DQ pairs whose scales are inputs, against the model as it is.

    Each sample is run on one thread and scores keep the order of the samples, so that the number of
    threads changes none.
    """

    def __init__(
        self,
        plain: Session,
        quantized: Session,
        feeds: Sequence[Feed],
        scales: Callable[[Mapping[str, float]], Mapping[str, np.ndarray]],
        *,
        workers: int = 1,
    ) -> None:
        """Run the model as it is over the feeds, as many as fit MOST_BYTES, and at least one.

        Raises:
            NothingToJudge: no output holds floats, finite and not all zero.
            StepInputError: a feed cannot be run.
        """
        self._quantized = quantized
        self._scales = scales
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

    def __call__(self, limits: Mapping[str, float]) -> float:
        """Return signal over error in dB, the mean over all outputs.

        Of an output it is that of the mean share of error over the samples: one that is clipped
        badly is not made up for by many that are a little better.
        """
        scales = self._scales(limits)

        def measure(held: tuple[Feed, dict[str, np.ndarray]]) -> dict[str, float]:
            feed, own = held
            with feed.blamed():
                found = self._quantized.run({**feed.arrays, **scales}, list(own))
            return {name: _find_error(each, found[name]) for name, each in own.items()}

        errors: dict[str, list[float]] = {}
        with ThreadPoolExecutor(self._workers) as pool:
            for each in pool.map(measure, self._held):
                for name, error in each.items():
                    errors.setdefault(name, []).append(error)
        return _mean([-10 * math.log10(_mean(each)) for each in errors.values()])


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
