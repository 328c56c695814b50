"""The kinds of runner: the union is the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.timing import engine, onnx_runtime, pytorch

__all__ = ["AnyRunner"]

AnyRunner = OneOf[
    """
    onnx_runtime.OnnxRuntime
    | pytorch.Pytorch
    | engine.Engine
    """,
    __name__,
]
"""What runs a model, by its kind."""
