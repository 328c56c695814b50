"""An engine of TensorRT or TensorRT-RTX on the GPU."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trtbuild.backends.tensorrt.engine import describe_loaded
from trtbuild.backends.tensorrt.flavour import FLAVOURS, load_tensorrt
from trtbuild.backends.tensorrt.memory import measure_memory
from trtbuild.core.errors import NotWritable, StepInputError
from trtbuild.core.words import format_size
from trtbuild.runtime.cuda import Cuda
from trtbuild.runtime.engine_use import EngineUse
from trtbuild.runtime.runner import Arrays, InputCheck, refuse_closed
from trtbuild.runtime.trt_context import TrtContext
from trtbuild.verbs.inspect import read_result_beside

__all__ = ["TrtRunner"]

USUAL = EngineUse()


class TrtRunner:
    """Runs an engine, with several contexts as several threads."""

    platform = "tensorrt_plan"
    on_gpu = True

    def __init__(
        self,
        engine: Path,
        kind: str,
        use: EngineUse = USUAL,
        *,
        cuda: Cuda | None = None,
    ) -> None:
        """Load an engine of a kind of target (`tensorrt10`, `tensorrt_rtx`).

        Args:
            engine: its file.
            kind: which TensorRT it is of.
            use: how many runs may be under way at once, and the like.
            cuda: the GPU; by default the first.

        Raises:
            StepInputError: TensorRT does not load it, or the GPU has no room for its contexts.
            MissingDependency: that TensorRT, or what feeds it, is not installed.
        """
        self._flavour = FLAVOURS[kind]
        trt: Any = load_tensorrt(self._flavour)
        self._cuda = cuda or Cuda()
        logger = trt.Logger(trt.Logger.WARNING)
        self._runtime = trt.Runtime(logger)
        result, _ = read_result_beside(engine)
        # Only what is known to bring a runtime of its own may have code of its own run.
        compatible = result is not None and result.options.get("version_compatible") == "on"
        self._runtime.engine_host_code_allowed = compatible
        for plugin in use.plugins:
            self._runtime.get_plugin_registry().load_library(str(plugin))
        self._engine: Any = self._runtime.deserialize_cuda_engine(engine.read_bytes())
        if self._engine is None:
            raise StepInputError(
                f"{engine}: {self._flavour.name} does not load it",
                hint=f"its messages stand above; `trtbuild inspect {engine}` says what it is for",
            )
        told = describe_loaded(trt, self._engine)
        self.inputs, self.outputs = told.inputs, told.outputs
        self.described = f"{engine} in {self._flavour.name} {trt.__version__}"
        self._check = InputCheck(self.inputs)
        self.memory = measure_memory(trt, self._engine)
        _demand_room(engine, use.contexts * self.memory.largest_context_bytes, self._cuda)
        self._cache = _RtxCache(trt, self._engine, use) if self._flavour.rtx else None
        graphs = use.graphs and self._cache is None
        self._all: list[TrtContext] = []
        self._free: queue.SimpleQueue[TrtContext | None] = queue.SimpleQueue()
        try:
            for _ in range(use.contexts):
                made = self._make_context()
                self._all.append(TrtContext(trt, self._engine, made, self._cuda, graphs=graphs))
        except BaseException:
            for each in self._all:
                each.close()
            raise
        for each in self._all:
            self._free.put(each)

    def _make_context(self) -> Any:
        found = (
            self._engine.create_execution_context()
            if self._cache is None
            else self._engine.create_execution_context(self._cache.config)
        )
        if found is None:
            raise StepInputError(
                "TensorRT makes no execution context",
                hint="is the GPU's memory full? its messages stand above, on standard error",
            )
        return found

    @contextlib.contextmanager
    def _take(self) -> Iterator[TrtContext]:
        context = self._free.get()
        if context is None:  # closed meanwhile: the next one that waits is to hear of it, too
            self._free.put(None)
            raise refuse_closed()
        try:
            yield context
        finally:
            self._free.put(context)

    def run(self, feed: Mapping[str, Any], *, keep_on_gpu: bool = False) -> Arrays:
        """Return the outputs; see `Runner`. Waits while all contexts are in use.

        Raises:
            UsageError: it is closed, or is closed while it waits.
        """
        if not self._all:
            raise refuse_closed()
        with self._take() as context:
            arrays = self._check.read(feed, context.stream)
            return context.run(arrays, keep_on_gpu=keep_on_gpu)

    def close(self) -> None:
        """Give all memory back, once what runs has ended; keep what was compiled.

        Raises:
            NotWritable: the file for that cannot be written.
        """
        contexts, self._all = self._all, []
        if not contexts:
            return
        for _ in contexts:
            self._free.get()
        for each in contexts:
            each.close()
        self._free.put(None)
        self._engine = self._runtime = None
        if self._cache is not None:
            self._cache.save()


def _demand_room(engine: Path, wanted_bytes: int, cuda: Cuda) -> None:
    """Demand that what layers write while they run fits, where TensorRT would end with less."""
    free_bytes = cuda.count_free_bytes()
    if wanted_bytes > free_bytes:
        raise StepInputError(
            f"{engine}: its contexts take {format_size(wanted_bytes)}, and "
            f"{format_size(free_bytes)} of the GPU's memory are free",
            hint="fewer `contexts`, profiles of smaller shapes, or end what else is on the GPU",
        )


class _RtxCache:
    """What TensorRT-RTX compiles on this GPU, kept in a file; and how it runs.

    It captures CUDA graphs itself, and specializes kernels for shapes that come back.
    """

    def __init__(self, trt: Any, engine: Any, use: EngineUse) -> None:
        self.config = engine.create_runtime_config()
        captured, special = trt.CudaGraphStrategy, trt.DynamicShapesKernelSpecializationStrategy
        self.config.cuda_graph_strategy = (
            captured.WHOLE_GRAPH_CAPTURE if use.graphs else captured.DISABLED
        )
        self.config.dynamic_shapes_kernel_specialization_strategy = getattr(
            special, use.specialize.upper()
        )
        path = use.cache
        self._path, self._cache = path, None
        if path is not None:
            self._cache = self.config.create_runtime_cache()
            if path.is_file():
                self._cache.deserialize(path.read_bytes())
            self.config.set_runtime_cache(self._cache)

    def save(self) -> None:
        from trtbuild.core.files import write_whole

        if self._path is None or self._cache is None:
            return
        try:
            write_whole(self._path, bytes(self._cache.serialize()))
        except OSError as error:
            raise NotWritable(
                f"{self._path}: what was compiled cannot be kept: {error.strerror}",
                hint="name another file for it: `cache`",
            ) from error
