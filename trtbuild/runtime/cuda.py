"""The few calls of the CUDA runtime that feeding an engine needs, by NVIDIA's own bindings."""

from __future__ import annotations

import importlib
from typing import Any

from trtbuild.core.errors import MissingDependency, StepInputError

__all__ = ["Cuda"]


class Cuda:
    """Memory, streams and graphs of one GPU."""

    def __init__(self, device: int = 0) -> None:
        """Choose the GPU of an index.

        Raises:
            MissingDependency: the bindings are not installed, or find no driver.
        """
        try:
            self._cuda: Any = importlib.import_module("cuda.bindings.runtime")
        except ImportError:
            raise MissingDependency(
                "cuda-bindings is not installed, which engines are fed with",
                hint="pip install 'trtbuild[runtime]'",
            ) from None
        self._call("cudaSetDevice", device)

    def _call(self, name: str, *arguments: Any) -> Any:
        """Call a function of the runtime and return what it yields.

        Raises:
            StepInputError: it fails; names it and the code.
        """
        code, *values = getattr(self._cuda, name)(*arguments)
        if int(code):
            raise StepInputError(
                f"CUDA: {name}: {getattr(code, 'name', code)}",
                hint="is there a driver, and room in the GPU's memory? `trtbuild doctor` looks",
            )
        return values[0] if values else None

    def count_free_bytes(self) -> int:
        """Return how much of the GPU's memory nobody has."""
        return int(self._call("cudaMemGetInfo"))

    def allocate(self, size_bytes: int) -> int:
        """Return the address of memory on the GPU."""
        return int(self._call("cudaMalloc", max(size_bytes, 1)))

    def free(self, address: int) -> None:
        """Give memory on the GPU back."""
        self._call("cudaFree", address)

    def allocate_pinned(self, size_bytes: int) -> int:
        """Return the address of main memory that the GPU copies from and to by itself."""
        return int(self._call("cudaMallocHost", max(size_bytes, 1)))

    def free_pinned(self, address: int) -> None:
        """Give such memory back."""
        self._call("cudaFreeHost", address)

    def create_stream(self) -> int:
        """Return a stream of its own."""
        return int(self._call("cudaStreamCreate"))

    def destroy_stream(self, stream: int) -> None:
        """End a stream."""
        self._call("cudaStreamDestroy", stream)

    def copy(self, to: int, source: int, size_bytes: int, stream: int) -> None:
        """Copy in a stream, from wherever to wherever."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDefault
        self._call("cudaMemcpyAsync", to, source, size_bytes, kind, stream)

    def wait(self, stream: int) -> None:
        """Wait until all in a stream is done."""
        self._call("cudaStreamSynchronize", stream)

    def begin_capture(self, stream: int) -> None:
        """Write down what a stream is told, instead of doing it."""
        mode = self._cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", stream, mode)

    def end_capture(self, stream: int) -> Any:
        """Return what was written down, ready to be launched."""
        graph = self._call("cudaStreamEndCapture", stream)
        try:
            return self._call("cudaGraphInstantiate", graph, 0)
        finally:
            self._call("cudaGraphDestroy", graph)

    def launch(self, graph: Any, stream: int) -> None:
        """Do what was written down."""
        self._call("cudaGraphLaunch", graph, stream)

    def destroy_graph(self, graph: Any) -> None:
        """Give a graph back."""
        self._call("cudaGraphExecDestroy", graph)
