"""A model brought in as ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

__all__ = ["ImportedModel"]


@dataclass(frozen=True)
class ImportedModel:
    """A model brought in as ONNX, and what its reader must know."""

    model: onnx.ModelProto
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
