"""Judge: how far what a quantized model computes is from the model's own, for any limits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
FEW_VALUES = 1024
"""Outputs of fewer values are judged together with what is `watched`: by themselves they tell more
of how a few numbers happened to round than of the limits. It was seen the other way round, too: of
a detector's output of 100,000 values, tensors in front of it told another story than it did."""


class NothingToJudge(ValueError):
    """No output holds floats that tell anything."""


Index = tuple[slice | int | EllipsisType, ...]


class Counting(NamedTuple):
    """What of the outputs counts, and how often a sample is run."""

    watched: Collection[str] = ()
    """Outputs that were added: where the model's own hold FEW_VALUES or more a sample, they do not
    count, and else as much as these."""
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
        self._held: list[tuple[Feed, dict[str, np.ndarray]]] = []
        size = 0
        for feed in feeds:
            with feed.blamed():
                own = {name: each for name, each in plain.run(feed.arrays).items() if _tells(each)}
            if (
                sum(each.size for name, each in own.items() if name not in counting.watched)
                >= FEW_VALUES
            ):
                own = {name: each for name, each in own.items() if name not in counting.watched}
            size += sum(each.nbytes for each in (*feed.arrays.values(), *own.values()))
            if size > MOST_BYTES and self._held:
                break
            self._held.append((feed, own))
        if not any(map(_energy, (each for _, own in self._held for each in own.values()))):
            raise NothingToJudge
        # What is finite in some samples alone is not compared.
        first, *rest = (own for _, own in self._held)
        names = [name for name in first if all(name in own for own in rest)]
        self._parts = {
            name: counting.find_parts(name, [own[name] for _, own in self._held]) or ((),)
            for name in names
            if name not in counting.watched
        }
        self._parts |= {name: ((),) for name in names if name in counting.watched}
        self._weights = tuple(
            1 / len(self._parts) / len(parts) for parts in self._parts.values() for _ in parts
        )

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
                _find_error(own[name], found[name], index)
                for name, parts in self._parts.items()
                for index in parts
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


def _tells(values: np.ndarray) -> bool:
    import numpy as np

    return values.dtype.kind == "f" and bool(values.size) and bool(np.isfinite(values).all())


def _energy(values: np.ndarray) -> float:
    import numpy as np

    return float(np.square(values, dtype=np.float64).sum())


def _find_error(own: np.ndarray, found: np.ndarray, index: Index) -> float:
    """Return the power of the error over that of the signal, between LEAST and MOST; of a part."""
    if own.shape != found.shape:  # what an operator like NonZero makes
        return 1.0
    own, found = own[index], found[index]
    power, error = _energy(own), _energy(own - found)
    if not power or not error:
        return LEAST
    # Written so that an error that is not a number counts as the worst.
    return max(error / power, LEAST) if error <= power * MOST else MOST
