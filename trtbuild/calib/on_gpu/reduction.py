"""Reduce all tensors of a run on the GPU, by two launches; counts come back at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.calib.count import BINS
from trtbuild.calib.on_gpu.kernels import COUNT, EXTREMES, SHARED_BYTES, THREADS, write_source
from trtbuild.calib.on_gpu.tables import (
    PART,
    STATE,
    TENSOR,
    ObservedTensor,
    fill_histogram,
    find_not_finite,
    list_parts,
    start_states,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trtbuild.calib.histogram import Histogram
    from trtbuild.model.cuda_work import CudaWork

__all__ = ["Reduction", "Snapshot"]

_COUNT_BYTES = 8


class Snapshot:
    """What was known after a run, and the tables of that run: memory of the host, used in turn."""

    def __init__(self, work: CudaWork, tensors: int) -> None:
        import numpy as np

        self._work = work
        self.tensors = work.pin(tensors * np.dtype(TENSOR).itemsize).view(TENSOR)
        self.states = work.pin(tensors * np.dtype(STATE).itemsize).view(STATE)
        self.parts: NDArray[Any] = np.zeros(0, PART)

    def hold_parts(self, parts: NDArray[Any]) -> NDArray[Any]:
        """Return the parts in memory that can be copied from while others are made."""
        if len(parts) > len(self.parts):
            self.parts = self._work.pin(2 * parts.nbytes).view(PART)
        self.parts[: len(parts)] = parts
        return self.parts[: len(parts)]


class Reduction:
    """Least and largest value of each tensor, and counts where a histogram has them."""

    def __init__(self, work: CudaWork, histograms: Mapping[str, Histogram]) -> None:
        """Compile the kernels, and take memory for what they remember.

        Raises:
            OutOfGpuMemory: there is not enough for one array of counts a tensor.
        """
        import numpy as np

        self._work = work
        self._names = list(histograms)
        self._rows, self._row_count = self._choose_rows(histograms)
        self._totals = [0] * len(self._names)
        kernels = work.compile(write_source(), [EXTREMES, COUNT])
        self._extremes, self._count = kernels[EXTREMES], kernels[COUNT]
        work.allow_shared(self._count, SHARED_BYTES)
        self._states = work.allocate(len(self._names) * np.dtype(STATE).itemsize)
        self._tensors = work.allocate(len(self._names) * np.dtype(TENSOR).itemsize)
        self._parts, self._parts_bytes = 0, 0
        self._counts = work.allocate(self._row_count * BINS * _COUNT_BYTES)
        self._known: tuple[list[int], Any, list[int]] = ([], None, [])
        self.reset()

    def _choose_rows(self, histograms: Mapping[str, Histogram]) -> tuple[list[int], int]:
        rows, count = [], 0
        for one in histograms.values():
            rows.append(count if one.counts.size else -1)
            count += bool(one.counts.size)
        return rows, count

    @property
    def size_bytes(self) -> int:
        """How much memory of the device it takes for what it remembers."""
        return self._row_count * BINS * _COUNT_BYTES

    def reset(self) -> None:
        """Forget what was seen."""
        states = self._work.pin(len(self._names) * 16).view(STATE)
        states[:] = start_states(len(self._names))
        self._work.upload(self._states, states)
        self._work.clear(self._counts, max(1, self.size_bytes))
        self._totals = [0] * len(self._names)

    def add(self, observed: Sequence[ObservedTensor], snapshot: Snapshot) -> None:
        """Reduce the tensors of a run, in the order of the histograms; nothing waits for it."""
        import numpy as np

        sizes = [each.size for each in observed]
        if self._known[0] != sizes:
            self._known = (sizes, *list_parts(sizes))
        _, parts, blocks = self._known
        if not len(parts):
            return
        if parts.nbytes > self._parts_bytes:
            self._parts_bytes = 2 * parts.nbytes
            self._parts = self._work.allocate(self._parts_bytes)
        table = snapshot.tensors
        table["address"] = [each.address for each in observed]
        table["size"] = sizes
        table["half"] = [each.half for each in observed]
        table["row"], table["blocks"] = self._rows, blocks
        self._work.upload(self._tensors, table)
        self._work.upload(self._parts, snapshot.hold_parts(parts))
        given = [np.uint64(each) for each in (self._parts, self._tensors, self._states)]
        given.append(np.uint64(self._counts))
        self._work.launch(self._extremes, len(parts), THREADS, *given)
        if self._row_count:
            self._work.launch(self._count, len(parts), THREADS, *given, shared=SHARED_BYTES)
        self._work.download(snapshot.states, self._states)
        self._totals = [total + size for total, size in zip(self._totals, sizes, strict=True)]

    def name_not_finite(self, snapshot: Snapshot) -> list[str]:
        """Name the tensors that were not finite by then, once that run is waited for."""
        odd = find_not_finite(snapshot.states)
        return [name for name, each in zip(self._names, odd, strict=True) if each]

    def finish(self, histograms: Mapping[str, Histogram]) -> None:
        """Wait, and add all that was counted to the histograms."""
        import numpy as np

        states = np.zeros(len(self._names), STATE)
        counts = np.zeros((self._row_count, BINS), np.uint64)
        self._work.download(states, self._states)
        if self._row_count:
            self._work.download(counts, self._counts)
        self._work.wait()
        for name, state, row, total in zip(
            self._names, states, self._rows, self._totals, strict=True
        ):
            fill_histogram(histograms[name], state, counts[row] if row >= 0 else None, total)
