"""Model sources and graph fixes; the unions are the registries."""

from typing import Annotated

from pydantic import Field

from trtbuild.graph.fixes.drop_identity import DropIdentity
from trtbuild.graph.fixes.fold_batchnorm import FoldBatchnorm
from trtbuild.graph.fixes.fold_constants import FoldConstants
from trtbuild.graph.fixes.set_dimension import SetDimension
from trtbuild.graph.sources import Onnx, Torch

__all__ = ["Fix", "Model"]

Fix = Annotated[
    FoldConstants | DropIdentity | FoldBatchnorm | SetDimension,
    Field(discriminator="kind"),
]
Model = Annotated[Onnx | Torch, Field(discriminator="kind")]
