"""Pictures made ready by a recipe's rules: by one kernel on a GPU, or on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.model.unfinished import MakeReady, Unfinished

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.data.preprocess import Preprocess
    from trtbuild.model.cuda_work import CudaWork

__all__ = ["PictureFinishing"]


class PictureFinishing:
    """What a `Preprocess` does, put off until it is known where."""

    def __init__(self, how: Preprocess, *, resized: bool = False) -> None:
        """Take the rules; of pixels that are `resized` and cropped already, the rest of them."""
        done = {"resize": None, "fit": None, "crop": None}
        self._how = how.model_copy(update=done) if resized else how
        self._opened: tuple[CudaWork, MakeReady] | None = None

    def leave(self, pixels: NDArray[np.uint8]) -> Unfinished:
        """Return what a picture [height, width, channels] is to become, not computed yet."""
        how = self._how
        width, height = how.view(pixels.shape[1], pixels.shape[0]).size
        chw = how.layout == "chw"
        shape = (how.channels, height, width) if chw else (height, width, how.channels)
        return Unfinished(pixels, shape, how.dtype, self)

    def on_cpu(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Compute it here.

        Raises:
            StepInputError: it is smaller than the crop.
        """
        return self._how.apply(pixels, "the picture")

    def open(self, work: CudaWork) -> MakeReady:
        """Return what computes it on a GPU."""
        from trtbuild.data.on_gpu.frames import FrameKernel, FrameOnGpu

        if self._opened is None or self._opened[0] is not work:
            kernel = FrameKernel(self._how, work)

            def make_ready(pictures: Sequence[tuple[int, tuple[int, ...]]], out: int) -> None:
                frames = [
                    FrameOnGpu(address, height, width, channels, width * channels)
                    for address, (height, width, channels) in pictures
                ]
                kernel.run(frames, out)

            self._opened = (work, make_ready)
        return self._opened[1]
