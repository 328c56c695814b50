"""Pixels on their way to a model, left for a GPU to make ready."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.model.cuda_work import CudaWork

__all__ = ["Finishing", "MakeReady", "Unfinished"]

MakeReady = Callable[[Sequence[tuple[int, tuple[int, ...]]], int], None]
"""Makes pictures on the device, each an address and a shape, ready at another address."""


class Finishing(Protocol):
    """How pixels become what a model takes."""

    def on_cpu(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Return that, without a batch axis.

        Raises:
            StepInputError: they are no such picture.
        """

    def open(self, work: CudaWork) -> MakeReady:
        """Return what makes pictures ready on a GPU, in its stream."""


class Unfinished:
    """An array of a picture's numbers that nobody has computed yet.

    It has the shape and the type that it comes to have, and is computed on the CPU wherever it is
    taken for an array (`numpy.asarray`): whoever knows better takes its pixels.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        shape: tuple[int, ...],
        dtype: str,
        finishing: Finishing,
    ) -> None:
        """Take uint8 pixels [height, width, channels], and what becomes of them."""
        import numpy as np

        self.pixels = pixels
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.finishing = finishing

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes it comes to have."""
        import math

        return math.prod(self.shape) * self.dtype.itemsize

    def stack(self) -> Unfinished:
        """Return a batch of this one alone, its first axis of size 1."""
        return Unfinished(self.pixels, (1, *self.shape), self.dtype.name, self.finishing)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        """Compute it."""
        del copy  # it is new in any case
        made = self.finishing.on_cpu(self.pixels).reshape(self.shape)
        return made if dtype is None else made.astype(dtype, copy=False)
