"""The kinds of runner: the union is the registry; and the section that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf, WhereNamed

if TYPE_CHECKING:
    from trtbuild.timing import engine, onnx_runtime, pytorch, section

__all__ = ["AnyRunner", "BenchSection"]

AnyRunner = OneOf[
    """
    onnx_runtime.OnnxRuntime
    | pytorch.Pytorch
    | engine.Engine
    """,
    __name__,
]
"""What runs a model, by its kind."""
BenchSection = WhereNamed["section.Bench", __name__]
"""How models are timed, where a recipe says it."""
