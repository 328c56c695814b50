"""Judge: how far what a quantized model computes is from the model's own, for any limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import EllipsisType
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.calib.errors_of_runs import Errors
from trtbuild.model.feeds import Feed
from trtbuild.model.session import Session

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Counting", "Index", "Judge", "NothingToJudge"]

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
WATCHED_SHARE = 1 / 3
"""How much of the score what is `watched` counts, all together: less noise than an output of few
values, which tells of how some numbers happened to round, but not what the model is for."""
MOST_WATCHED = 1 << 18
"""Of how many values a sample what is watched may be: more would leave room for few samples."""


class NothingToJudge(ValueError):
    """No output holds floats that tell anything."""


Index = tuple[slice | int | EllipsisType, ...]


class Counting(NamedTuple):
    """What of the outputs counts, and how often a sample is run."""

    watched: Collection[str] = ()
    """Outputs that were added: they count WATCHED_SHARE, where the model's own tell anything."""
    find_parts: Callable[[str, Sequence[np.ndarray]], Sequence[Index]] = lambda *_: ()
    """An output's name and values → the parts that count by themselves."""
    repeats: int = 1
    """How many runs are made of each sample, with other DITHERs."""


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
        fixed: Collection[str] = (),
        counting: Counting = Counting(),  # noqa: B008
        workers: int = 1,
    ) -> None:
        """Run the model as it is over the feeds, as many as fit MOST_BYTES, and at least one.

        Args:
            plain: runs the model as it is, with what is watched as outputs.
            quantized: the same with pairs.
            feeds: what both are run on.
            scales: limits → what feeds the scales.
            fixed: tensors whose limits are taken as they are; all others have a DITHER.
            counting: what of the outputs counts.
            workers: how many runs are made at a time.

        Raises:
            NothingToJudge: no output holds floats, finite and not all zero.
            StepInputError: a feed cannot be run.
        """
        self._quantized = quantized
        self._scales = scales
        self._fixed = frozenset(fixed)
        self._repeats = counting.repeats
        self._workers = workers
        self._held = list(_hold(plain, feeds, counting.watched))
        outputs = [own for _, own in self._held]
        if not any(map(_energy, (each for own in outputs for each in own.values()))):
            raise NothingToJudge
        # What is finite in some samples alone is not compared.
        names = [name for name in outputs[0] if all(name in own for own in outputs)]
        parts = {
            name: counting.find_parts(name, [own[name] for own in outputs]) or ((),)
            for name in names
            if name not in counting.watched
        }
        watched = [name for name in names if name in counting.watched]
        self._weights = _weigh(parts.values(), len(watched))
        self._parts = {**parts, **dict.fromkeys(watched, ((),))}
        self._signals = {
            name: [_mean(_energy(own[name][index]) for own in outputs) for index in parts]
            for name, parts in self._parts.items()
        }

    @property
    def samples(self) -> int:
        """How many samples it runs."""
        return sum(len(feed.samples) for feed, _ in self._held)

    @property
    def runs(self) -> int:
        """How many runs over a table of limits it takes."""
        return len(self._held) * self._repeats

    def __call__(self, limits: Mapping[str, float], places: Sequence[int] | None = None) -> Errors:
        """Return the errors with these limits, of the runs at these places, or of all."""

        def measure(place: int) -> list[float]:
            feed, own = self._held[place // self._repeats]
            scales = self._scales(self._dither(limits, place))
            with feed.blamed():
                found = self._quantized.run({**feed.arrays, **scales}, list(self._parts))
            return [
                _find_error(own[name], found[name], index, signal)
                for name, parts in self._parts.items()
                for index, signal in zip(parts, self._signals[name], strict=True)
            ]

        chosen = tuple(range(self.runs) if places is None else places)
        with ThreadPoolExecutor(self._workers) as pool:
            found = list(pool.map(measure, chosen))
        return Errors(tuple(zip(*found, strict=True)), chosen, self._weights, self._repeats)

    def _dither(self, limits: Mapping[str, float], index: int) -> dict[str, float]:
        by_sample, by_tensor = STEPS
        return {
            name: limit
            if name in self._fixed
            else limit * (1 + DITHER * ((index * by_sample + place * by_tensor) % 1))
            for place, (name, limit) in enumerate(limits.items())
        }


def _hold(
    plain: Session, feeds: Iterable[Feed], watched: Collection[str]
) -> Iterator[tuple[Feed, dict[str, np.ndarray]]]:
    """Yield feeds with what the model makes of them, as many as fit MOST_BYTES."""
    size = 0
    for feed in feeds:
        with feed.blamed():
            own = {
                name: each
                for name, each in plain.run(feed.arrays).items()
                if _tells(each) and (name not in watched or each.size <= MOST_WATCHED)
            }
        first = not size
        size += sum(each.nbytes for each in (*feed.arrays.values(), *own.values()))
        if size > MOST_BYTES and not first:
            return
        yield feed, own


def _tells(values: np.ndarray) -> bool:
    import numpy as np

    return values.dtype.kind == "f" and bool(values.size) and bool(np.isfinite(values).all())


def _energy(values: np.ndarray) -> float:
    import numpy as np

    return float(np.square(values, dtype=np.float64).sum())


def _find_error(own: np.ndarray, found: np.ndarray, index: Index, signal: float) -> float:
    """Return the power of a part's error over a signal's, between LEAST and MOST."""
    if own.shape != found.shape:  # what an operator like NonZero makes
        return 1.0
    error = _energy(own[index] - found[index])
    if not signal or not error:
        return LEAST
    # Written so that an error that is not a number counts as the worst.
    return max(error / signal, LEAST) if error <= signal * MOST else MOST


def _weigh(own: Collection[Sequence[Index]], watched: int) -> tuple[float, ...]:
    """Return how much each part of each output counts, and then what is watched; 1 in sum."""
    if not own:
        return (1 / watched,) * watched
    outputs = 1 - WATCHED_SHARE if watched else 1.0
    parts = tuple(outputs / len(own) / len(parts) for parts in own for _ in parts)
    return parts + (WATCHED_SHARE / max(1, watched),) * watched


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return math.fsum(found) / len(found)
