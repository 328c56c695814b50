"""Bring a model in as ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.core.options import Location
from trtbuild.graph import Model
from trtbuild.steps.base import Context, Pinned, Step

__all__ = ["ImportModel"]


class ImportModel(Step):
    """Read or export the model into one ONNX file."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"model": "model.onnx"}

    kind: Literal["import_model"] = "import_model"
    model: Model
    files: tuple[Pinned, ...]
    """What `model.files()` named, pinned: the ONNX file and its data, or the entrypoint's sources."""
    weights: Pinned | None = None
    """The weights file, fetched and pinned; None where there is none (see `Torch.without_weights`)."""
    base: Location
    """The folder that paths in the recipe relate to."""

    def run(self, context: Context) -> None:
        """Write model.onnx."""
        raise NotImplementedError
