"""Where a model comes from; the union is the registry."""

from typing import Annotated

from trtbuild.core.kinds import BY_KIND
from trtbuild.sources.kinds import Huggingface, Onnx, Torch

__all__ = ["ModelSource"]

ModelSource = Annotated[Onnx | Torch | Huggingface, BY_KIND]
