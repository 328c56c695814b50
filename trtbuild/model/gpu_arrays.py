"""Arrays that lie in the memory of a GPU: taken as they lie there, and handed out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import MissingDependency, UsageError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["GpuArray", "lies_on_gpu", "view_gpu"]

_CUDA, _CUDA_MANAGED = 2, 13
"""DLPack's numbers of devices: kDLCUDA, kDLCUDAManaged."""


class GpuArray:
    """An array in the memory of a GPU, in one piece, all of whose values are there.

    Others take it by DLPack (`torch.from_dlpack`), or by CUDA's array interface
    (`cupy.asarray`). What it lies in is given back once nobody holds it: whoever reads it in a
    stream of their own keeps it until that is done.
    """

    def __init__(
        self,
        address: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        *,
        keep: object = None,
        index: int = 0,
    ) -> None:
        """Take an address on the GPU of an index, and what must live as long as the array."""
        self.address = address
        self.shape = shape
        self.dtype = dtype
        self.keep = keep
        self._index = index

    @property
    def nbytes(self) -> int:
        """How many bytes it has."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Where it lies, in the words of CUDA's array interface, version 3."""
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address, False),
            "strides": None,
            "stream": None,  # whoever made it waited
            "version": 3,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return DLPack's number of CUDA, and which GPU it is."""
        return _CUDA, self._index

    def __dlpack__(self, **options: Any) -> Any:
        """Return a capsule of DLPack."""
        from cuda.core import Buffer

        memory = _load_views()
        buffer = Buffer.from_handle(self.address, self.nbytes, owner=self)
        return memory.from_buffer(buffer, self.shape, dtype=self.dtype).__dlpack__(**options)


def lies_on_gpu(given: Any) -> bool:
    """Tell whether an array lies in the memory of a GPU, whosever it is."""
    if isinstance(given, GpuArray):
        return True
    if (place := getattr(given, "__dlpack_device__", None)) is not None:
        return int(place()[0]) in (_CUDA, _CUDA_MANAGED)
    return hasattr(given, "__cuda_array_interface__")


def view_gpu(name: str, given: Any, stream: int) -> GpuArray:
    """Return an array on a GPU as it lies there, once what makes it comes before a stream's work.

    Raises:
        UsageError: it does not lie in one piece.
        MissingDependency: cuda-core is not installed, which reads arrays that are not ours.
    """
    if isinstance(given, GpuArray):
        return given
    import numpy as np

    view = _load_views().from_any_interface(given, stream)
    shape, steps = tuple(view.shape), view.strides
    whole = [math.prod(shape[place + 1 :]) for place in range(len(shape))]
    if steps is not None and any(
        step != asked and size > 1 for step, asked, size in zip(steps, whole, shape, strict=True)
    ):
        raise UsageError(
            f"`{name}` does not lie in one piece on the GPU (strides {list(steps)})",
            hint="make it contiguous, as by `tensor.contiguous()`",
        )
    return GpuArray(int(view.ptr), shape, np.dtype(view.dtype), keep=(view, given))


def _load_views() -> Any:
    """Return what reads DLPack and CUDA's array interface."""
    try:
        from cuda.core.utils import StridedMemoryView
    except ImportError as error:
        raise MissingDependency(
            f"cuda-core is not installed, which reads arrays on a GPU: {error}",
            hint="pip install 'trtbuild[cuda]', or give arrays in main memory",
        ) from None
    return StridedMemoryView
