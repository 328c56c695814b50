"""A session on a GPU, fed from main memory, with arrays that lie there, or with pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.model.cuda_work import CudaWork
from trtbuild.model.feeds import Feed
from trtbuild.model.gpu_arrays import GpuArray
from trtbuild.model.gpu_room import GpuRoom
from trtbuild.model.providers import Providers, make_cuda
from trtbuild.model.session import RUN_HINT, translate_errors

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.model.session import Session

__all__ = ["GpuFeeding"]


class GpuFeeding:
    """Runs a model on one feed at a time, in a stream of its own.

    Arrays of main memory are copied by way of pinned memory that is taken once. Pictures that are
    `Unfinished` are made ready on the GPU, and what lies there (`GpuArray`) is taken as it lies.
    """

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
        self._room = GpuRoom(self._work)

    @property
    def stream(self) -> int:
        """The handle of the stream that it works in."""
        return self._work.handle

    def use_here(self) -> None:
        """Let this thread work on the GPU, too."""
        self._work.use_here()

    def run(self, arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the outputs, in main memory.

        Raises:
            StepInputError: the model does not run on this, or a picture cannot be made ready there.
        """
        binding, names = self._bind(arrays, "cpu")
        with translate_errors("run", RUN_HINT):
            self._session.session.run_with_iobinding(binding)
            values = binding.copy_outputs_to_cpu()
        return dict(zip(names, values, strict=True))

    def run_there(
        self, arrays: Mapping[str, Any], outputs: Sequence[TensorSpec]
    ) -> dict[str, GpuArray]:
        """Return the outputs where they were made, once they are there.

        Raises:
            StepInputError: as `run`.
        """
        import numpy as np

        binding, names = self._bind(arrays, self._work.memory)
        with translate_errors("run", RUN_HINT):
            self._session.session.run_with_iobinding(binding)
            values = binding.get_outputs()
        self._work.wait()
        types = {spec.name: np.dtype(spec.dtype) for spec in outputs}
        return {
            name: GpuArray(
                value.data_ptr(), tuple(value.shape()), types[name], keep=value, index=self._index
            )
            for name, value in zip(names, values, strict=True)
        }

    def close(self) -> None:
        """Give the session's memory back, and then what it was fed by."""
        self._session.session = None
        self._work.__exit__()

    def _bind(self, arrays: Mapping[str, Any], where: str) -> tuple[Any, list[str]]:
        self._work.use_here()
        there = {name: each for name, each in arrays.items() if isinstance(each, GpuArray)}
        feed = Feed(("",), {name: arrays[name] for name in arrays.keys() - there.keys()})
        self._room.prepare([feed], {})
        self._room.fill([feed], {})
        bound: list[tuple[str, Any, int]] = [
            *((name, each, each.address) for name, each in there.items()),
            *((name, self._room.arrays[name], at) for name, at in self._room.upload().items()),
        ]
        session = self._session.session
        binding = session.io_binding()
        for name, array, address in bound:
            binding.bind_input(
                name, self._work.memory, self._index, array.dtype.type, list(array.shape), address
            )
        names = [output.name for output in session.get_outputs()]
        for name in names:
            binding.bind_output(name, where, self._index if where != "cpu" else 0)
        return binding, names
