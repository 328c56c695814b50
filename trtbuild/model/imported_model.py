"""A model brought in as ONNX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.frozen import frozen

if TYPE_CHECKING:
    import onnx

__all__ = ["ImportedModel"]


@frozen
class ImportedModel:
    """A model brought in as ONNX, and what its reader must know."""

    model: onnx.ModelProto
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    hold: Callable[[Path], tuple[str, ...]] | None = None
    """Holds the model, once it is written, against what it was made from; returns more notes.
    Raises StepInputError where they differ."""
