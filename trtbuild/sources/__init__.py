"""Where a model comes from; the union is the registry."""

from typing import Annotated

from pydantic import Field

from trtbuild.sources.kinds import Onnx, Torch

__all__ = ["ModelSource"]

ModelSource = Annotated[Onnx | Torch, Field(discriminator="kind")]
