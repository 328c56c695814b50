"""Feeds of one sample, gathered into runs of several, in memory that the GPU copies from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.model.merging import MOST_BATCH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.model.cuda_work import CudaWork
    from trtbuild.model.feeds import Feed

__all__ = ["Room", "choose_batch"]

MOST_BYTES = 1 << 30
"""Of tensors that are observed at a time: about what a session and CUDA take anyway."""
SHARE = 6
"""What is observed may take one part in so many of the memory that is free: the model's other
tensors, and scratch memory of its operators, take as much again and more."""


def choose_batch(sample_bytes: int, free_bytes: int) -> int:
    """Return how many samples a run takes, given what is observed of one, and what is free."""
    most = min(MOST_BYTES, free_bytes // SHARE)
    return max(1, min(MOST_BATCH, most // max(1, sample_bytes)))


class Room:
    """Where the arrays of a run lie, on the host and on the device; it grows, and is used anew."""

    def __init__(self, work: CudaWork) -> None:
        self._work = work
        self._host: dict[str, NDArray[np.uint8]] = {}
        self._device: dict[str, int] = {}
        self.arrays: dict[str, NDArray[Any]] = {}
        """What is fed, each an array in the host's memory."""

    def prepare(self, feeds: Sequence[Feed], axes: Mapping[str, int]) -> None:
        """Make room for the feeds, stacked by the axes that count samples.

        Raises:
            OutOfGpuMemory: there is not enough on the device.
        """
        import numpy as np

        self.arrays = {}
        for name, first in feeds[0].arrays.items():
            shape = list(first.shape)
            if len(feeds) > 1:
                shape[axes[name]] *= len(feeds)
            size = int(np.prod(shape, dtype=np.int64)) * first.dtype.itemsize
            if name not in self._host or self._host[name].nbytes < size:
                if name in self._device:
                    self._work.free(self._device.pop(name))
                self._device[name] = self._work.allocate(size)
                self._host[name] = self._work.pin(size)
            self.arrays[name] = self._host[name][:size].view(first.dtype).reshape(shape)

    def fill(self, feeds: Sequence[Feed], axes: Mapping[str, int]) -> None:
        """Stack the feeds, in whichever thread: it was made room for them."""
        import numpy as np

        for name, target in self.arrays.items():
            parts = [feed.arrays[name] for feed in feeds]
            if len(parts) > 1:
                np.concatenate(parts, axes[name], out=target)
            else:
                np.copyto(target, parts[0])

    def upload(self) -> dict[str, int]:
        """Copy all to the device, beside what runs there; return the address of each input."""
        for name, array in self.arrays.items():
            self._work.upload(self._device[name], array, beside=True)
        self._work.stream.wait(self._work.record(beside=True))
        return {name: self._device[name] for name in self.arrays}
