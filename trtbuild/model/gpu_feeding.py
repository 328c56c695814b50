"""A session on a GPU whose pictures are made ready there, in the stream that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from trtbuild.model.cuda_work import CudaWork
from trtbuild.model.feeds import Feed
from trtbuild.model.gpu_room import Room
from trtbuild.model.providers import Providers, make_cuda
from trtbuild.model.session import RUN_HINT, translate_errors

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.model.session import Session

__all__ = ["GpuFeeding"]


class GpuFeeding:
    """Runs a model on one feed at a time, some arrays of which may be `Unfinished`."""

    def __init__(self, open_session: Callable[[Providers], Session], index: int = 0) -> None:
        """Open a session on the GPU of an index.

        Raises:
            MissingDependency: cuda-core is not installed, or finds no CUDA.
            StepInputError: the model cannot be loaded there.
        """
        self._index = index
        self._work = CudaWork(index)
        self._session = open_session(make_cuda(index, stream=self._work.handle))
        self._session.keep = self._work, self._session.keep  # it works in that stream to its end
        self._room = Room(self._work)

    def run(self, arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the outputs.

        Raises:
            StepInputError: the model does not run on this, or a picture cannot be made ready there.
        """
        self._work.use_here()
        feed = Feed(("",), dict(arrays))
        self._room.prepare([feed], {})
        self._room.fill([feed], {})
        session = self._session.session
        binding = session.io_binding()
        for name, address in self._room.upload().items():
            array = self._room.arrays[name]
            binding.bind_input(
                name, self._work.memory, self._index, array.dtype.type, list(array.shape), address
            )
        names = [output.name for output in session.get_outputs()]
        for name in names:
            binding.bind_output(name, "cpu")
        with translate_errors("run", RUN_HINT):
            session.run_with_iobinding(binding)
            values = binding.copy_outputs_to_cpu()
        return dict(zip(names, values, strict=True))
