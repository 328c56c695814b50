"""An execution context with memory of its own: one at a time may use it."""

from __future__ import annotations

import contextlib
import math
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from trtbuild.core.errors import StepInputError, UsageError
from trtbuild.model.gpu_arrays import GpuArray
from trtbuild.runtime.cuda import Cuda
from trtbuild.runtime.runner import Arrays

if TYPE_CHECKING:
    import numpy as np

__all__ = ["TrtContext"]

MOST_GRAPHS = 8
"""Of CUDA graphs that are kept, by shapes: the ones used last."""
Shapes = tuple[tuple[int, ...], ...]
"""Of the inputs, in their order."""
Made = dict[str, tuple[int, ...]]
"""The shapes of the outputs that come of these."""


class _Run(NamedTuple):
    """What runs have in common that one graph does."""

    profile: int
    shapes: Shapes
    copied: tuple[bool, ...]
    """Of each input, whether it comes by way of pinned memory."""
    kept: bool
    """Whether outputs stay on the GPU."""


class TrtContext:
    """Feeds an engine through buffers that are allocated once, for the largest shapes it takes.

    Arrays are copied into pinned memory, and from there by the GPU in a stream of its own; those
    that lie on the GPU by the GPU alone. From the second run of the same shapes on, kernels and the
    copies from and to pinned memory are launched as one CUDA graph.
    """

    def __init__(
        self, trt: Any, engine: Any, context: Any, cuda: Cuda, *, graphs: bool = True
    ) -> None:
        """Take a context of an engine, which must live as long as this.

        Raises:
            StepInputError: the GPU or main memory has no room, or sizes depend on values; nothing
                stays taken.
        """
        import numpy as np

        self._trt, self._engine, self._context, self._cuda = trt, engine, context, cuda
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        self._inputs = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self._outputs = [name for name in names if name not in self._inputs]
        self._types = {n: np.dtype(trt.nptype(engine.get_tensor_dtype(n))) for n in names}
        for name in self._inputs:
            if engine.is_shape_inference_io(name):
                raise StepInputError(
                    f"the values of the input `{name}` decide shapes: it is not run so",
                    hint="`trtbuild run` runs such an engine",
                )
        self._profiles: list[dict[str, Any]] = [
            {name: engine.get_tensor_profile_shape(name, index) for name in self._inputs}
            for index in range(int(engine.num_optimization_profiles))
        ]
        self.stream = cuda.create_stream()
        """The handle of the stream that it works in."""
        self._profile: int = 0
        self._device: dict[str, int] = {}
        self._pinned: dict[str, np.ndarray] = {}
        self._graphs: OrderedDict[_Run, tuple[Any, Made]] = OrderedDict()
        self._last: _Run | None = None
        self._use_graphs = graphs
        try:
            self._allocate()
        except BaseException:
            self.close()
            raise

    def _allocate(self) -> None:
        import ctypes

        import numpy as np

        sizes = {
            name: max(math.prod(profile[name][2]) for profile in self._profiles)
            for name in self._inputs
        }
        for name, size_bytes in self._measure_outputs().items():
            sizes[name] = size_bytes // self._types[name].itemsize
        for name, count in sizes.items():
            size_bytes = count * self._types[name].itemsize
            self._device[name] = self._cuda.allocate(size_bytes)
            place = self._cuda.allocate_pinned(size_bytes)
            raw = (ctypes.c_ubyte * max(size_bytes, 1)).from_address(place)
            self._pinned[name] = np.frombuffer(raw, self._types[name], count)
            self._context.set_tensor_address(name, self._device[name])

    def _measure_outputs(self) -> dict[str, int]:
        """Return the most bytes of each output over all profiles; the first is chosen then.

        TensorRT tells that of the profile and the shapes that are set.
        """
        most = dict.fromkeys(self._outputs, 0)
        for index in reversed(range(len(self._profiles))):
            largest = tuple(tuple(self._profiles[index][name][2]) for name in self._inputs)
            self._set_shapes(index, largest)
            for name in self._outputs:
                if any(size < 0 for size in self._shape(name)):
                    raise StepInputError(
                        f"the output `{name}` has a size that depends on values: it is not run so",
                        hint="cut the graph before the node that makes it (fix `extract`)",
                    )
                most[name] = max(most[name], self._context.get_max_output_size(name))
        return most

    def run(
        self, arrays: Mapping[str, np.ndarray | GpuArray], *, keep_on_gpu: bool = False
    ) -> Arrays:
        """Run the engine once on arrays that fit it; the outputs are the caller's own.

        Raises:
            UsageError: no profile takes these shapes.
            StepInputError: CUDA or TensorRT refuses.
        """
        shapes = tuple(arrays[name].shape for name in self._inputs)
        profile = self._choose_profile(shapes)
        copied = tuple(self._stage(name, arrays[name]) for name in self._inputs)
        key = _Run(profile, shapes, copied, keep_on_gpu)
        graph, made = self._graphs.get(key, (None, {}))
        if graph is None:
            self._set_shapes(key.profile, shapes)
            made = {name: self._shape(name) for name in self._outputs}
            graph = self._capture(key, made) if self._use_graphs and key == self._last else None
        if graph is None:
            self._enqueue(key, made)
        else:
            self._graphs.move_to_end(key)
            self._cuda.launch(graph, self.stream)
        self._last = key
        kept: Arrays = {name: self._keep(name, made[name]) for name in self._outputs if keep_on_gpu}
        self._cuda.wait(self.stream)
        if keep_on_gpu:
            return kept
        return {name: self._read(name, made[name]) for name in self._outputs}

    def _keep(self, name: str, shape: tuple[int, ...]) -> GpuArray:
        """Copy an output to memory of its own, which ends with the array."""
        size_bytes = math.prod(shape) * self._types[name].itemsize
        address = self._cuda.allocate(size_bytes)
        self._cuda.copy(address, self._device[name], size_bytes, self.stream)
        made = GpuArray(address, shape, self._types[name])
        weakref.finalize(made, self._cuda.free, address)
        return made

    def _stage(self, name: str, array: np.ndarray | GpuArray) -> bool:
        """Put an array where a run finds it; tell whether the run must copy it from there."""
        if isinstance(array, GpuArray):
            self._cuda.copy(self._device[name], array.address, array.nbytes, self.stream)
            return False
        flat = array.reshape(-1)
        self._pinned[name][: flat.size] = flat
        return True

    def _choose_profile(self, shapes: Shapes) -> int:
        order: list[int] = [self._profile, *range(len(self._profiles))]
        for index in order:
            profile = self._profiles[index]
            spans = zip(shapes, (profile[name] for name in self._inputs), strict=True)
            if all(_fits(shape, span) for shape, span in spans):
                return index
        given = ", ".join(
            f"`{n}` {list(shape)}" for n, shape in zip(self._inputs, shapes, strict=True)
        )
        taken = "; ".join(
            ", ".join(f"`{n}` {list(p[n][0])} to {list(p[n][2])}" for n in self._inputs)
            for p in self._profiles
        )
        raise UsageError(f"no profile of the engine takes {given}", hint=f"profiles: {taken}")

    def _set_shapes(self, index: int, shapes: Shapes) -> None:
        if index != self._profile:
            told = self._context.set_optimization_profile_async(index, self.stream)
            self._demand(told, f"profile {index}")
            self._profile = index
        for name, shape in zip(self._inputs, shapes, strict=True):
            self._demand(self._context.set_input_shape(name, shape), name)

    def _enqueue(self, key: _Run, made: Made) -> None:
        for name, shape, copied in zip(self._inputs, key.shapes, key.copied, strict=True):
            size = math.prod(shape) * self._types[name].itemsize
            if copied:
                self._cuda.copy(self._device[name], self._address(name), size, self.stream)
        self._demand(self._context.execute_async_v3(self.stream), "the run")
        for name in () if key.kept else self._outputs:
            size = math.prod(made[name]) * self._types[name].itemsize
            self._cuda.copy(self._address(name), self._device[name], size, self.stream)

    def _capture(self, key: _Run, made: Made) -> Any:
        """Return the run of these shapes as a graph; None where this engine cannot be captured."""
        self._cuda.begin_capture(self.stream)
        try:
            self._enqueue(key, made)
            graph = self._cuda.end_capture(self.stream)
        except StepInputError:  # it waits for the GPU within a run, say: run as it is from now on
            with contextlib.suppress(StepInputError):
                self._cuda.destroy_graph(self._cuda.end_capture(self.stream))
            self._use_graphs = False
            return None
        self._graphs[key] = graph, made
        if len(self._graphs) > MOST_GRAPHS:
            self._cuda.destroy_graph(self._graphs.popitem(last=False)[1][0])
        return graph

    def _read(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        found: np.ndarray = self._pinned[name][: math.prod(shape)].reshape(shape).copy()
        return found

    def _shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._context.get_tensor_shape(name))

    def _address(self, name: str) -> int:
        return int(self._pinned[name].ctypes.data)

    def _demand(self, told: object, what: str) -> None:
        if not told:
            raise StepInputError(
                f"TensorRT refuses {what}", hint="its own messages stand above, on standard error"
            )

    def close(self) -> None:
        """Give memory, graphs and the stream back."""
        for graph, _ in self._graphs.values():
            self._cuda.destroy_graph(graph)
        for address in self._device.values():
            self._cuda.free(address)
        for name in self._pinned:
            self._cuda.free_pinned(self._address(name))
        self._graphs.clear()
        self._device.clear()
        self._pinned.clear()
        self._context = None
        self._cuda.destroy_stream(self.stream)


def _fits(shape: Sequence[int], span: Sequence[Sequence[int]]) -> bool:
    low, _, high = span
    return len(low) == len(shape) and all(
        a <= size <= b for a, size, b in zip(low, shape, high, strict=True)
    )
