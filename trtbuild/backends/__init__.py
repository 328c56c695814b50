"""Backends; the union is the registry."""

from typing import Annotated

from pydantic import Field

from trtbuild.backends.onnxruntime import Onnxruntime
from trtbuild.backends.tensorrt_rtx import TensorrtRtx

__all__ = ["Target"]

Target = Annotated[TensorrtRtx | Onnxruntime, Field(discriminator="kind")]
