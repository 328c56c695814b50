"""A model in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.model.outline import ModelOutline
from trtbuild.model.providers import Providers, list_names
from trtbuild.model.session import Session, open_session
from trtbuild.runtime.runner import Arrays, InputCheck

__all__ = ["OnnxRunner"]


class OnnxRunner:
    """Runs an ONNX model, as trtbuild compares it: Q/DQ pairs are computed as they stand."""

    platform = "onnxruntime_onnx"

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

    def run(self, feed: Mapping[str, Any]) -> Arrays:
        """Return the outputs; see `Runner`."""
        session = self._session
        if session is None:
            raise UsageError("the engine is closed", hint="run it within `with Engine(...)`")
        return session.run(self._check.read(feed))

    def close(self) -> None:
        """Give the model's memory back."""
        self._session = None
