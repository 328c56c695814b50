"""Feeds of one sample, merged into runs of several: what keeps a GPU busy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feed, Feeder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.core.values import TensorSpec

__all__ = ["MOST_BATCH", "Merging", "find_open_axes", "gather", "merge"]

Arrays = Mapping[str, "np.ndarray"]
Run = Callable[[Arrays], Arrays]
MOST_BATCH = 32
"""More samples at a time make a run no faster."""
SAME = 1e-5
"""By so much of the largest value a sample's numbers may differ by what shares its run."""
NEAR = 0.03
"""By so much of its signal a sample's numbers may differ from those of a run of its own: sums are
rounded otherwise, and with Q/DQ pairs that moves a value by a level now and then."""
_PAIR = 2


def find_open_axes(feeder: Feeder) -> dict[str, int]:
    """Return the axes that count samples, where every input has one whose size is open."""
    placed = feeder.placements
    axes = {each.spec.name: each.axis for each in placed if each.axis is not None}
    free = len(axes) == len(placed) and all(each.batch is None for each in placed)
    return axes if free else {}


def gather(feeds: Iterable[Feed], most: Callable[[], int]) -> Iterator[list[Feed]]:
    """Yield neighbouring feeds whose arrays are alike, at most so many at a time, in order."""
    group: list[Feed] = []
    for feed in feeds:
        if group and (len(group) >= most() or _describe(feed) != _describe(group[0])):
            yield group
            group = []
        group.append(feed)
    if group:
        yield group


def _describe(feed: Feed) -> dict[str, Any]:
    return {
        name: (each.shape, each.dtype.str, getattr(each, "pixels", each).shape)
        for name, each in feed.arrays.items()
    }


def merge(feeds: Sequence[Feed], axes: Mapping[str, int]) -> Feed:
    """Return one feed of several that are alike, stacked by the axes that count samples."""
    import numpy as np

    if len(feeds) == 1:
        return feeds[0]
    names = tuple(name for feed in feeds for name in feed.samples)
    return Feed(
        names,
        {name: np.concatenate([each.arrays[name] for each in feeds], axis=axes[name])
         for name in feeds[0].arrays},
    )  # fmt: skip


class Merging:
    """How many samples a run takes: as many as may, half as many where one does not go.

    Two samples are tried first: with any other beside it in a run, each must make the same. Few
    numbers of samples are tried, one after the other: for each that is another than before, cuDNN
    plans all convolutions anew, which takes as long as many runs.
    """

    def __init__(
        self,
        feeder: Feeder,
        outputs: Sequence[TensorSpec],
        *,
        most: int = MOST_BATCH,
        note: Callable[[str], None],
    ) -> None:
        """Take what feeds a model, its outputs, and at most how many samples a run may take."""
        self._axes = find_open_axes(feeder)
        self._counted = {spec.name: feeder.find_batch_axis(spec) for spec in outputs}
        self._note = note
        self._lock = threading.Lock()
        self._shrunk = ""
        """Why runs take fewer samples, as long as that is not said."""
        self._most = most if self._axes else 1
        self._now = 1

    def settle(self, first: Sequence[Feed], run: Run) -> None:
        """Try two feeds alone and together: what may share a run does so from here on."""
        pair = next(gather(first, lambda: _PAIR), [])
        if self._most == 1 or len(pair) < _PAIR:
            return
        try:
            told = self._find_dependence(pair, run)
        except StepInputError:
            told = "the model does not run on two samples at once"
        if told:
            self._most = 1
            self._note(f"{told}: it ran on one at a time")
        else:
            self._now = self._most

    def grow(self, feeds: Sequence[Feed], run: Run) -> None:
        """Find out how many of these feeds, or fewer, may share a run, and take that from here on.

        For who cannot run a part of a feed again: `merge` then makes feeds that were seen to go.

        Raises:
            StepInputError: a feed cannot be run even by itself.
        """
        alike = next(gather(feeds, lambda: len(feeds)), [])
        self._most = max(1, min(self._most, len(alike)))
        if self._now > 1:
            self.run(alike[: self._most], run)
        self._now = min(self._now, self._most)

    def group(self, feeds: Iterable[Feed]) -> Iterator[list[Feed]]:
        """Yield feeds that are alike and follow each other, as many as may share a run."""
        yield from gather(feeds, lambda: self._now)

    def merge(self, feeds: Sequence[Feed]) -> Feed:
        """Return one feed of several that are alike."""
        return merge(feeds, self._axes)

    def _find_dependence(self, pair: Sequence[Feed], run: Run) -> str:
        """Say how samples of a run change each other's outputs; nothing where none does."""
        mixed, *twice = (run(merge(each, self._axes).arrays) for each in _list_pairs(pair))
        alone = [run(feed.arrays) for feed in pair]
        for place, outputs in enumerate(alone):
            for name, values in outputs.items():
                axis = self._counted.get(name, 0)
                both = [self._take(each[name], axis, place) for each in (mixed, twice[place])]
                own = self._take(values, axis, 0, count=1)
                if own is None or both[0] is None or both[1] is None:
                    return f"the size of the output `{name}` is not that of the samples"
                if not (_is_same(both[0], both[1]) and _is_near(own, both[1])):
                    return "samples change each other's outputs in a run"
        return ""

    @staticmethod
    def _take(
        values: NDArray[Any], axis: int | None, place: int, *, count: int = _PAIR
    ) -> NDArray[Any] | None:
        if axis is None or axis >= values.ndim or values.shape[axis] != count:
            return None
        taken: NDArray[Any] = values.take(place, axis)
        return taken

    def run(self, feeds: Sequence[Feed], run: Run) -> list[tuple[Feed, Arrays]]:
        """Run feeds at once; return what was run together, in order, with its outputs.

        Where that does not go, each half is run by itself, and later runs take no more.

        Raises:
            StepInputError: a feed cannot be run even by itself; says which.
        """
        merged, count = merge(feeds, self._axes), len(feeds)
        try:
            with merged.blamed():
                outputs = run(merged.arrays)
        except StepInputError as error:
            if count == 1:
                raise
            self._shrink((count + 1) // 2, error.message)
            return self._run_halves(feeds, run)
        if count > 1 and not self._is_whole(outputs, count):
            self._shrink(1, "the size of an output is not that of the samples")
            return self._run_halves(feeds, run)
        self._tell_shrunk()
        return [(merged, outputs)]

    def _run_halves(self, feeds: Sequence[Feed], run: Run) -> list[tuple[Feed, Arrays]]:
        half = (len(feeds) + 1) // 2
        return [*self.run(feeds[:half], run), *self.run(feeds[half:], run)]

    def _is_whole(self, outputs: Arrays, count: int) -> bool:
        taken = (
            self._take(values, self._counted.get(name, 0), 0, count=count)
            for name, values in outputs.items()
        )
        return all(each is not None for each in taken)

    def _shrink(self, most: int, why: str) -> None:
        from trtbuild.model.session import is_out_of_memory

        with self._lock:
            if most < self._most:
                self._shrunk = "memory is short" if is_out_of_memory(RuntimeError(why)) else why
            self._most = min(self._most, most)
            self._now = min(self._now, self._most)

    def _tell_shrunk(self) -> None:
        with self._lock:
            if self._shrunk:
                self._note(f"{self._shrunk}: runs take {self._most} samples at most")
            self._shrunk = ""


def _list_pairs(pair: Sequence[Feed]) -> list[list[Feed]]:
    """Return two feeds, and each of them twice."""
    return [[*pair], *([feed, feed] for feed in pair)]


def _is_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Tell whether two arrays hold the same, but for what kernels that race may change."""
    import numpy as np

    if one.shape != other.shape or one.dtype.kind != "f":
        return np.array_equal(one, other)
    mine, its = (np.nan_to_num(each.astype(np.float64)) for each in (one, other))
    return bool((np.abs(mine - its) <= SAME * np.abs(mine).max(initial=0)).all())


def _is_near(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Tell whether two arrays hold about the same: by their error's share of the signal."""
    import numpy as np

    if one.shape != other.shape:
        return False
    if one.dtype.kind != "f":
        return bool((one != other).mean() <= NEAR) if one.size else True
    mine, its = (np.nan_to_num(each.astype(np.float64)) for each in (one, other))
    return bool(np.linalg.norm(mine - its) <= NEAR * np.linalg.norm(mine))
