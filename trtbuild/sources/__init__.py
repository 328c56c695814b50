"""Where a model comes from; the union is the registry."""

from typing import Annotated

from trtbuild.core.kinds import BY_KIND
from trtbuild.sources.kinds import Onnx, Torch

__all__ = ["ModelSource"]

ModelSource = Annotated[Onnx | Torch, BY_KIND]
