"""A model in ONNX Runtime: on the CPU, or on a GPU."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.model.gpu_feeding import GpuFeeding
from trtbuild.model.outline import ModelOutline
from trtbuild.model.providers import CUDA, Providers, list_names
from trtbuild.model.session import Session, open_session
from trtbuild.runtime.runner import Arrays, InputCheck, refuse_closed

__all__ = ["OnnxGpuRunner", "OnnxRunner"]


class OnnxRunner:
    """Runs an ONNX model, as trtbuild compares it: Q/DQ pairs are computed as they stand."""

    platform = "onnxruntime_onnx"
    on_gpu = False

    def __init__(self, model: Path, providers: Providers, *, threads: int = 0) -> None:
        """Load a model; `threads` 0 means all of the machine's cores.

        Raises:
            StepInputError: ONNX Runtime cannot load it; quotes it.
            MissingDependency: this ONNX Runtime lacks a provider.
        """
        outline = ModelOutline.read(model)
        self.inputs, self.outputs = outline.inputs, outline.outputs
        self.described = f"{model} in ONNX Runtime, {list_names(providers)[0]}"
        self._check = InputCheck(self.inputs)
        self._session: Session | None = open_session(
            model, threads=threads, providers=providers, mapped=outline.split
        )

    def run(self, feed: Mapping[str, Any], *, keep_on_gpu: bool = False) -> Arrays:
        """Return the outputs; see `Runner`."""
        session = self._session
        if session is None:
            raise refuse_closed()
        if keep_on_gpu:
            raise UsageError(
                "`keep_on_gpu`: of this model, its outputs lie in main memory",
                hint="leave out `keep_on_gpu`; on a GPU it takes `trtbuild[cuda]`",
            )
        return session.run(self._check.read(feed))

    def close(self) -> None:
        """Give the model's memory back."""
        self._session = None


class OnnxGpuRunner:
    """Runs an ONNX model on a GPU, in a stream of its own; several threads take turns."""

    platform = "onnxruntime_onnx"
    on_gpu = True

    def __init__(self, model: Path) -> None:
        """Load a model.

        Raises:
            StepInputError: ONNX Runtime cannot load it; quotes it.
            MissingDependency: this ONNX Runtime lacks CUDA, or cuda-core is not installed.
        """
        outline = ModelOutline.read(model)
        self.inputs, self.outputs = outline.inputs, outline.outputs
        self.described = f"{model} in ONNX Runtime, {CUDA}"
        self._check = InputCheck(self.inputs)
        self._lock = threading.Lock()

        def load(providers: Providers) -> Session:
            return open_session(model, threads=0, providers=providers, mapped=outline.split)

        self._feeding: GpuFeeding | None = GpuFeeding(load)

    def run(self, feed: Mapping[str, Any], *, keep_on_gpu: bool = False) -> Arrays:
        """Return the outputs; see `Runner`."""
        with self._lock:
            feeding = self._feeding
            if feeding is None:
                raise refuse_closed()
            feeding.use_here()
            arrays = self._check.read(feed, feeding.stream)
            return feeding.run_there(arrays, self.outputs) if keep_on_gpu else feeding.run(arrays)

    def close(self) -> None:
        """Give all memory back, once what runs has ended."""
        with self._lock:
            if self._feeding is not None:
                self._feeding.close()
            self._feeding = None
