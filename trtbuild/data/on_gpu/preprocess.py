"""Frames in, what a model takes out, by DLPack: for whoever feeds engines."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from trtbuild.core.errors import StepInputError
from trtbuild.data.on_gpu.frames import FrameKernel, FrameOnGpu
from trtbuild.model.cuda_work import CudaWork

if TYPE_CHECKING:
    from trtbuild.data.preprocess import Preprocess

__all__ = ["GpuPreprocess", "find_stream"]

KEPT = 16
"""Batches, at most, whose frames are kept while the kernel may still read them."""
_SHAPED = (2, 3)
_MAIN_MEMORY = 1
"""kDLCPU of DLPack."""


class GpuPreprocess:
    """Makes batches of frames that lie on a GPU what a model takes: one kernel a batch.

    The numbers are those of `Preprocess.apply` on the CPU, bit for bit: resized by its rule,
    padded, cropped, channels ordered, scaled, normalized, laid out. A context, which gives its
    memory back.
    """

    def __init__(
        self,
        how: Preprocess,
        *,
        index: int = 0,
        stream: Any = None,
        frames: Literal["rgb", "bgr"] = "rgb",
    ) -> None:
        """Compile the kernel for the GPU of an index.

        Work is put into `stream` (a handle, or what has `__cuda_stream__` or `cuda_stream`), or
        into a stream of its own; `frames` says how the channels of frames are ordered.

        Raises:
            MissingDependency: cuda-core is not installed, or finds no CUDA.
        """
        self._work = CudaWork(index, stream=find_stream(stream))
        self._how = how
        self._kernel = FrameKernel(how, self._work, bgr=frames == "bgr")
        self._kept: deque[tuple[Any, Any]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._work.__exit__()

    @property
    def stream(self) -> int:
        """The handle of the stream that it works in."""
        return self._work.handle

    def __call__(self, frames: Sequence[Any], out: Any = None) -> Any:
        """Return what a batch becomes, [batch, ...], or write it to `out` and return that.

        Frames are uint8 [height, width, channels] or [height, width], of any sizes, on this GPU,
        as anything with DLPack (or `__cuda_array_interface__`). What is returned has DLPack as
        well, and is there once the stream has come so far; nothing waits.

        Raises:
            StepInputError: a frame is no such picture; they come to have several sizes; `out` does
                not fit.
        """
        import numpy as np
        from cuda.core.utils import StridedMemoryView

        for each in (*frames, *([] if out is None else [out])):
            _demand_gpu(each)
        views = [StridedMemoryView.from_any_interface(each, self.stream) for each in frames]
        found = [_read_frame(view) for view in views]
        shape = self._kernel.find_shape(found)
        dtype = np.dtype(self._how.dtype)
        if out is None:
            size = int(np.prod(shape)) * dtype.itemsize
            buffer = self._work.device.allocate(size, stream=self._work.stream)
            made = out = StridedMemoryView.from_buffer(buffer, shape, dtype=dtype)
        else:
            made = StridedMemoryView.from_any_interface(out, self.stream)
            _demand_room(made, shape, dtype)
        self._kernel.run(found, int(made.ptr))
        self._kept.append((self._work.record(), (views, frames)))
        while self._kept and (self._kept[0][0].is_done or len(self._kept) > KEPT):
            self._kept.popleft()[0].sync()
        return out


def find_stream(stream: Any) -> int | None:
    """Return the handle of a stream, however it is given; None for none.

    Raises:
        StepInputError: it is no stream.
    """
    if stream is None or isinstance(stream, int):
        return stream
    if hasattr(stream, "__cuda_stream__"):
        told = stream.__cuda_stream__
        return int((told() if callable(told) else told)[1])
    for name in ("cuda_stream", "ptr", "handle"):  # PyTorch's, CuPy's, cuda-core's
        if hasattr(stream, name):
            return int(getattr(stream, name))
    raise StepInputError(
        f"{type(stream).__name__} is no CUDA stream", hint="give its handle, a whole number"
    )


def _demand_gpu(given: Any) -> None:
    """Refuse what lies in main memory before it is asked for a view: NumPy refuses any stream."""
    place = getattr(given, "__dlpack_device__", None)
    if (place is not None and int(place()[0]) == _MAIN_MEMORY) or isinstance(given, bytes):
        raise StepInputError(
            f"a {type(given).__name__} lies in main memory",
            hint="give arrays on the GPU, by DLPack or `__cuda_array_interface__`",
        )


def _read_frame(view: Any) -> FrameOnGpu:
    shape = tuple(view.shape)
    if str(view.dtype) != "uint8" or len(shape) not in _SHAPED or not view.is_device_accessible:
        where = "on the GPU" if view.is_device_accessible else "in main memory"
        raise StepInputError(
            f"a frame is {view.dtype} {list(shape)}, {where}",
            hint="give uint8 [height, width, 3] or [height, width] on the GPU",
        )
    height, width = shape[:2]
    channels = shape[2] if len(shape) > 2 else 1  # noqa: PLR2004
    steps = tuple(view.strides or (width * channels, channels, 1)[: len(shape)])
    if steps[1:] != (channels, 1)[: len(shape) - 1]:
        raise StepInputError(
            f"the pixels of a frame {list(shape)} do not lie one behind the other (strides "
            f"{list(steps)})",
            hint="channels come last, and each row in one piece",
        )
    return FrameOnGpu(int(view.ptr), height, width, channels, steps[0])


def _demand_room(made: Any, shape: tuple[int, ...], dtype: Any) -> None:
    import math

    steps = made.strides
    whole = steps is None or all(
        step == math.prod(shape[place + 1 :]) for place, step in enumerate(steps)
    )
    if tuple(made.shape) != shape or made.dtype != dtype or not whole:
        raise StepInputError(
            f"`out` is {made.dtype} {list(made.shape)}; it must be {dtype} {list(shape)}, in one "
            "piece",
            hint="leave it out, or give memory of that shape",
        )
