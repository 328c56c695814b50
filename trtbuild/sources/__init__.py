"""Where a model comes from; the union is the registry."""

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.sources import huggingface, onnx, torch, ultralytics

__all__ = ["ModelSource"]

ModelSource = OneOf[
    """
    onnx.Onnx
    | torch.Torch
    | huggingface.Huggingface
    | ultralytics.Ultralytics
    """,
    __name__,
]
