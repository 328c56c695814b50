"""Engines of TensorRT 10, 11 and TensorRT-RTX, in their own runtimes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Options
from trtbuild.timing.base import Arrays, Setting, TimedModel

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.backends.tensorrt.engine import EngineDescription, EngineKind
    from trtbuild.core.values import TensorSpec
    from trtbuild.timing.cuda import Graph
    from trtbuild.timing.layers.join import ProfiledLayer

__all__ = ["Engine"]


class Engine(Options):
    """Engines that are built, in the runtime of the TensorRT they are of, on their GPU."""

    kind: Literal["engine"]

    @classmethod
    def usual(cls) -> Sequence[Engine]:
        """Return the one that there is."""
        return (cls(kind="engine"),)

    def takes(self, subject: TimedModel) -> bool:
        """Tell that it is for engines."""
        return subject.sort == "engine"

    def label(self) -> str:
        """Name it."""
        return "engine"

    def place(self) -> Literal["cpu", "gpu"]:
        """Say that it computes on a GPU."""
        return "gpu"

    def find_hindrance(self, subject: TimedModel, setting: Setting) -> str:
        """Say nothing: whether an engine runs here is asked before a process is started for it."""
        del subject, setting
        return ""

    def libraries(self) -> Mapping[str, str]:
        """Return the versions of the TensorRTs that are installed where it runs."""
        import importlib.metadata

        found = {}
        for name in ("tensorrt", "tensorrt_rtx"):
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                found[name] = importlib.metadata.version(name)
        return found or {"tensorrt": "unknown"}

    def load_library(self) -> None:
        """Load nothing yet: which TensorRT it is, the engine says."""

    def open(self, subject: TimedModel, setting: Setting) -> BoundEngine:
        """Load an engine.

        Raises:
            StepInputError: its TensorRT does not load it; quotes its messages.
            MissingDependency, NoGpu: that TensorRT or a GPU is not here.
        """
        from trtbuild.backends.tensorrt.engine import describe_loaded, load_engine

        stack = contextlib.ExitStack()
        try:
            kind = cast("EngineKind", subject.flavour)
            loaded = load_engine(kind, subject.path, subject.plugins)
            trt, engine = stack.enter_context(loaded)
            return BoundEngine(
                trt, engine, describe_loaded(trt, engine), stack, graphs=setting.cuda_graphs
            )
        except BaseException:
            stack.close()
            raise

    def profile(
        self, subject: TimedModel, setting: Setting, opened: BoundEngine, arrays: Arrays, calls: int
    ) -> tuple[ProfiledLayer, ...]:
        """Have the engine's context report its layers.

        Raises:
            StepInputError: it does not run so.
        """
        del subject, setting, arrays
        return opened.profile(calls)

    def describe(self, subject: TimedModel, opened: BoundEngine) -> tuple[str, tuple[str, ...]]:
        """Say that the engine's own file says it."""
        del subject, opened
        return "see engine.json", ()


class BoundEngine:
    """An engine, a context of it, a stream, and memory for what it takes and gives."""

    def __init__(
        self,
        trt: Any,
        engine: Any,
        description: EngineDescription,
        stack: contextlib.ExitStack,
        *,
        graphs: bool,
    ) -> None:
        from polygraphy.cuda import Stream

        from trtbuild.timing.cuda import make_events

        self._trt, self._engine, self._description, self._stack = trt, engine, description, stack
        self._graphs = graphs
        self._context = engine.create_execution_context()
        self._stream = Stream()
        self._arrays: dict[str, np.ndarray] = {}
        self._there: dict[str, Any] = {}
        self._made: dict[str, np.ndarray] = {}
        self._graph: Graph | None = None
        self._events = make_events()

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """What the engine says that it takes."""
        return self._description.inputs

    @property
    def has_transfers(self) -> bool:
        """Tell that it runs on a GPU."""
        return True

    @property
    def has_events(self) -> bool:
        """Tell whether CUDA's driver can be asked."""
        return self._events is not None

    def feed(self, arrays: Arrays) -> None:
        """Choose a profile, put inputs and outputs at fixed addresses, and run once.

        Raises:
            StepInputError: no profile takes the shapes, an output's size depends on values, or it
                does not run.
        """
        import numpy as np

        from trtbuild.backends.tensorrt.engine import choose_profile
        from trtbuild.model.feeds import demand_fit

        demand_fit(arrays, self._description.inputs, of="the engine")
        self._graph = None
        profile = choose_profile(self._description, arrays)
        self._context.set_optimization_profile_async(profile, self._stream.ptr)
        self._stream.synchronize()
        self._arrays = {name: np.ascontiguousarray(each) for name, each in arrays.items()}
        for name, array in self._arrays.items():
            self._place_input(name, array)
        for spec in self._description.outputs:
            shape = tuple(self._context.get_tensor_shape(spec.name))
            if any(size < 0 for size in shape):
                raise StepInputError(
                    f"the output `{spec.name}` has a size that depends on values: it is not timed",
                    hint="cut the graph before the node that makes it (fix `extract`)",
                )
            self._made[spec.name] = np.empty(shape, _read_dtype(spec))
            self._place(spec.name, self._made[spec.name])
        self._copy_inputs()
        self.call()
        if self._graphs:
            self._record()
            self.call()

    def _place_input(self, name: str, array: np.ndarray) -> None:
        if self._engine.is_shape_inference_io(name):  # TensorRT reads those on the host
            self._context.set_tensor_address(name, array.ctypes.data)
            return
        self._context.set_input_shape(name, tuple(array.shape))
        self._place(name, array)

    def _place(self, name: str, array: np.ndarray) -> None:
        from polygraphy.cuda import DeviceArray

        old = self._there.get(name)
        if old is None:
            self._there[name] = DeviceArray(shape=array.shape, dtype=array.dtype)
        else:
            old.resize(array.shape)
        self._context.set_tensor_address(name, self._there[name].ptr)

    def _copy_inputs(self) -> None:
        for name, array in self._arrays.items():
            if name in self._there:
                self._there[name].copy_from(array, self._stream)
        self._stream.synchronize()

    def _record(self) -> None:
        from trtbuild.timing.cuda import Graph

        graph = Graph(self._stream.ptr)
        self._enqueue()
        graph.finish()
        self._graph = graph

    def _enqueue(self) -> None:
        if not self._context.execute_async_v3(self._stream.ptr):
            raise StepInputError(
                "the engine did not run on these inputs", hint="the log has TensorRT's messages"
            )

    def call(self) -> None:
        """Run it, between two events where there are any."""
        if self._events is not None:
            self._events[0].record(self._stream.ptr)
        if self._graph is None:
            self._enqueue()
        else:
            self._graph.launch()
        if self._events is not None:
            self._events[1].record(self._stream.ptr)
        self._stream.synchronize()

    def call_whole(self) -> None:
        """Copy the inputs, run it, and copy the outputs."""
        for name, array in self._arrays.items():
            if name in self._there:
                self._there[name].copy_from(array, self._stream)
        self.call()
        for name, array in self._made.items():
            self._there[name].copy_to(array, self._stream)
        self._stream.synchronize()

    def read_events_ms(self) -> float:
        """Return the time between the events."""
        assert self._events is not None  # noqa: S101  # `has_events` is asked first
        return self._events[1].since_ms(self._events[0])

    def outputs(self) -> Mapping[str, np.ndarray]:
        """Return the outputs of the last call."""
        for name, array in self._made.items():
            self._there[name].copy_to(array, self._stream)
        self._stream.synchronize()
        return {name: array.copy() for name, array in self._made.items()}

    def fork(self) -> BoundEngine:
        """Return another context of the engine, on a stream of its own, fed alike."""
        other = BoundEngine(
            self._trt, self._engine, self._description, contextlib.ExitStack(), graphs=self._graphs
        )
        if self._arrays:
            other.feed(self._arrays)
        return other

    def profile(self, calls: int) -> tuple[ProfiledLayer, ...]:
        """Run it with a profiler, which the context keeps from then on."""
        from trtbuild.timing.layers.engine import profile_context

        def run() -> None:
            self._enqueue()
            self._stream.synchronize()

        return profile_context(self._trt, self._engine, self._context, run, calls)

    def peak_bytes(self) -> int | None:
        """Return what the engine says that a context needs for its activations."""
        for name in ("device_memory_size_v2", "device_memory_size"):
            found = getattr(self._engine, name, None)
            if found:
                return int(found)
        return None

    def close(self) -> None:
        """Give memory, context and engine back."""
        for each in self._there.values():
            each.free()
        self._there.clear()
        self._graph = self._context = self._engine = None
        self._stream.free()
        self._stack.close()


def _read_dtype(spec: TensorSpec) -> np.dtype[np.generic]:
    import numpy as np

    try:
        return np.dtype(spec.dtype)
    except TypeError:
        raise StepInputError(
            f"the output `{spec.name}` is {spec.dtype}, which NumPy lacks"
        ) from None
