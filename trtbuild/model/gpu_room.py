"""Where the arrays of a run lie: memory that a GPU copies from, and its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from trtbuild.model.unfinished import Unfinished

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.model.cuda_work import CudaWork
    from trtbuild.model.feeds import Feed

__all__ = ["GpuRoom"]


class _Copied(NamedTuple):
    """What is copied to the device, and where."""

    array: NDArray[Any]
    """In the host's memory."""
    address: int


class GpuRoom:
    """Where the arrays of a run lie, on the host and on the device; it grows, and is used anew."""

    def __init__(self, work: CudaWork) -> None:
        self._work = work
        self._host: dict[str, NDArray[np.uint8]] = {}
        self._device: dict[str, tuple[int, int]] = {}
        self._copied: dict[str, _Copied] = {}
        self._made: dict[str, tuple[Unfinished, int]] = {}
        """Of a picture: how such are made ready, and where they then lie."""
        self.arrays: dict[str, NDArray[Any]] = {}
        """What is fed, each of the shape and type that it has there; of pictures nothing else."""

    def prepare(self, feeds: Sequence[Feed], axes: Mapping[str, int]) -> None:
        """Make room for the feeds, stacked by the axes that count samples.

        Raises:
            OutOfGpuMemory: there is not enough on the device.
        """
        import numpy as np

        self.arrays, self._copied, self._made = {}, {}, {}
        for name, first in feeds[0].arrays.items():
            shape = list(first.shape)
            if len(feeds) > 1:
                shape[axes[name]] *= len(feeds)
            size = int(np.prod(shape, dtype=np.int64)) * first.dtype.itemsize
            left: Any = first
            if isinstance(left, Unfinished):
                pixels = (len(feeds), *left.pixels.shape)
                self._copied[name] = self._take(f"{name}/pixels", pixels, np.dtype(np.uint8))
                self._made[name] = left, self._allocate(name, size)
                self.arrays[name] = np.broadcast_to(np.zeros((), first.dtype), shape)
            else:
                self._copied[name] = self._take(name, tuple(shape), first.dtype)
                self.arrays[name] = self._copied[name].array

    def _take(self, key: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> _Copied:
        import math

        size = math.prod(shape) * dtype.itemsize
        address = self._allocate(key, size)
        if key not in self._host or self._host[key].nbytes < size:
            self._host[key] = self._work.pin(size)
        return _Copied(self._host[key][:size].view(dtype).reshape(shape), address)

    def _allocate(self, key: str, size: int) -> int:
        address, there = self._device.get(key, (0, -1))
        if there < size:
            if address:
                del self._device[key]
                self._work.free(address)
            address = self._work.allocate(size)
            self._device[key] = address, size
        return address

    def fill(self, feeds: Sequence[Feed], axes: Mapping[str, int]) -> None:
        """Stack the feeds, in whichever thread: it was made room for them."""
        import numpy as np

        for name, (target, _) in self._copied.items():
            parts: list[Any] = [feed.arrays[name] for feed in feeds]
            if name in self._made:
                np.stack([each.pixels for each in parts], out=target)
            elif len(parts) > 1:
                np.concatenate(parts, axes[name], out=target)
            else:
                np.copyto(target, parts[0])

    def upload(self) -> dict[str, int]:
        """Copy all to the device, beside what runs there; return the address of each input.

        Pictures are made ready there, in the stream that the model runs in.

        Raises:
            StepInputError: a picture cannot be made ready on a GPU.
        """
        addresses = {}
        for name, (array, address) in self._copied.items():
            self._work.upload(address, array, beside=True)
            addresses[name] = address
        self._work.stream.wait(self._work.record(beside=True))
        for name, (left, out) in self._made.items():
            pixels, start = self._copied[name].array, addresses[name]
            size = left.pixels.nbytes
            pictures = [(start + i * size, left.pixels.shape) for i in range(len(pixels))]
            left.finishing.open(self._work)(pictures, out)
            addresses[name] = out
        return addresses
