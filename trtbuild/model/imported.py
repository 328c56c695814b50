"""A model brought in as ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

__all__ = ["Imported"]


@dataclass(frozen=True)
class Imported:
    """A model brought in as ONNX, and what its reader must know."""

    model: onnx.ModelProto
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
