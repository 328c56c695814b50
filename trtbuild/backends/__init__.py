"""Backends; the union is the registry."""

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.backends import onnxruntime, tensorrt10, tensorrt11, tensorrt_rtx

__all__ = ["Target"]

Target = OneOf[
    """
    tensorrt_rtx.TensorrtRtx
    | tensorrt11.Tensorrt11
    | tensorrt10.Tensorrt10
    | onnxruntime.Onnxruntime
    """,
    __name__,
]
