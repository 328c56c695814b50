"""Pictures on their way into a model on a GPU: one thread copies them, another makes them ready."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.data.on_gpu.frames import FrameKernel, FrameOnGpu
from trtbuild.model.cuda_work import CudaWork
from trtbuild.model.gpu_arrays import GpuArray

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.data.preprocess import Preprocess

__all__ = ["CopiedPicture", "GpuPictures"]

WORTHWHILE = 0.75
"""The share of a picture's rows up to which those alone are copied that are needed."""
_RGB = 3


class _Slot:
    """Memory that a picture is copied by way of, and to."""

    def __init__(self, work: CudaWork, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.host = work.pin(size_bytes)
        self.address = work.allocate(size_bytes)
        self.event: Any = None


class CopiedPicture:
    """A picture that is on its way to the GPU; its memory there is used anew once nobody has it."""

    def __init__(
        self, pixels: NDArray[np.uint8], shape: tuple[int, ...], frame: FrameOnGpu, event: Any
    ) -> None:
        """Take its pixels, what it comes to be, and where it lies once an event has happened."""
        self.pixels = pixels
        """As they lie in main memory."""
        self.shape = shape
        """What it comes to have, without a batch axis."""
        self.frame = frame
        self.event = event


class GpuPictures:
    """Makes pictures of main memory what a model takes, by one kernel a batch.

    Copying a picture costs more than all that a GPU does with it: where the resizing takes some of
    its rows alone, as OpenCV's bilinear does, no others are copied.

    Memory is taken for as many pictures as are under way at once, and used anew.
    """

    def __init__(self, how: Preprocess, work: CudaWork | None = None) -> None:
        """Take the rules; work on the first GPU.

        Raises:
            MissingDependency: cuda-core is not installed, or finds no CUDA.
        """
        self._work = work or CudaWork()
        self._kernel = FrameKernel(how, self._work)
        self._how = how
        self._free: list[_Slot] = []
        self._lock = threading.Lock()
        self._out, self._out_bytes = 0, -1

    def takes(self, pixels: np.ndarray) -> bool:
        """Tell whether it makes such a picture ready: uint8 RGB [height, width, 3], not empty."""
        rgb = pixels.dtype.name == "uint8" and pixels.shape[2:] == (_RGB,)
        return rgb and pixels.size > 0

    def copy(self, pixels: NDArray[np.uint8]) -> CopiedPicture:
        """Have a picture copied to the GPU; nothing waits for it.

        Raises:
            StepInputError: it is smaller than the crop, or the GPU's memory is full.
        """
        import numpy as np

        self._work.use_here()
        height, width, channels = pixels.shape
        with self._lock:
            rows = self._kernel.list_rows(width, height)
        thinned = len(rows) <= WORTHWHILE * height and _has_whole_rows(pixels)
        pitch = pixels.strides[0] if thinned else width * channels
        slot = self._take((len(rows) if thinned else height) * pitch)
        if slot.event is not None:
            slot.event.sync()  # of a picture that was dropped, and may still be on its way
        there = slot.host[: (len(rows) if thinned else height) * pitch]
        if thinned:
            _copy_rows(pixels, rows, there.reshape(-1, pitch))
        else:
            np.copyto(there.reshape(pixels.shape), pixels)
        self._work.upload(slot.address, there, beside=True)
        slot.event = self._work.record(beside=True)
        frame = FrameOnGpu(slot.address, height, width, channels, pitch, thinned)
        with self._lock:
            shape = self._kernel.find_shape([frame])[1:]
        made = CopiedPicture(pixels, shape, frame, slot.event)
        weakref.finalize(made, self._free.append, slot)
        return made

    def make_ready(self, pictures: Sequence[CopiedPicture]) -> GpuArray:
        """Return what a batch becomes, [batch, ...]; it holds until the next is asked for.

        Raises:
            StepInputError: they come to have several sizes, or the GPU's memory is full.
        """
        import numpy as np

        self._work.use_here()
        dtype = np.dtype(self._how.dtype)
        shape = (len(pictures), *pictures[0].shape)
        if (size := math.prod(shape) * dtype.itemsize) > self._out_bytes:
            if self._out:
                self._work.free(self._out)
                self._out, self._out_bytes = 0, -1
            self._out, self._out_bytes = self._work.allocate(size), size
        for each in pictures:
            self._work.stream.wait(each.event)
        with self._lock:
            self._kernel.run([each.frame for each in pictures], self._out)
        self._work.wait()
        return GpuArray(self._out, shape, dtype)

    def close(self) -> None:
        """Give all memory back."""
        self._work.use_here()
        self._work.__exit__()

    def _take(self, size_bytes: int) -> _Slot:
        """Return memory for a picture, of the smallest that is free and suffices, or new."""
        fit = [each for each in self._free if each.size_bytes >= size_bytes]
        if not fit:
            return _Slot(self._work, size_bytes)
        found = min(fit, key=lambda each: each.size_bytes)
        self._free.remove(found)  # others add alone
        return found


def _has_whole_rows(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether rows lie below each other, each in one piece: also of what is cut out."""
    return pixels.strides[1:] == (_RGB, 1) and pixels.strides[0] >= pixels.shape[1] * _RGB


def _copy_rows(
    pixels: NDArray[np.uint8], rows: NDArray[np.int32], there: NDArray[np.uint8]
) -> None:
    """Copy some rows of a picture, in bytes, and what lies between them and the next.

    NumPy copies them at once, without the interpreter's lock, for which other threads would wait:
    it does so of what lies in one piece, which a part of a picture does with what is beside it.
    """
    import numpy as np

    height, pitch = len(pixels), pixels.strides[0]
    before = rows[:-1] if rows[-1] == height - 1 else rows
    if len(before):  # behind the last row may be nothing
        whole = np.lib.stride_tricks.as_strided(pixels, (height - 1, pitch), (pitch, 1))
        np.take(whole, before, 0, out=there[: len(before)], mode="clip")
    if len(before) < len(rows):
        there[-1, : pixels[-1].size] = pixels[-1].reshape(-1)
