"""Backends; the union is the registry."""

from typing import Annotated

from trtbuild.backends.onnxruntime import Onnxruntime
from trtbuild.backends.tensorrt10 import Tensorrt10
from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.kinds import BY_KIND

__all__ = ["Target"]

Target = Annotated[TensorrtRtx | Tensorrt11 | Tensorrt10 | Onnxruntime, BY_KIND]
