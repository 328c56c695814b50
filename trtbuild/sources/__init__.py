"""Where a model comes from; the union is the registry."""

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.sources import kinds

__all__ = ["ModelSource"]

ModelSource = OneOf[
    """
    kinds.Onnx
    | kinds.Torch
    """,
    __name__,
]
