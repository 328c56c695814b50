"""Graph fixes; the union is the registry."""

from typing import Annotated

from pydantic import Field

from trtbuild.fixes.drop_identity import DropIdentity
from trtbuild.fixes.fold_batchnorm import FoldBatchnorm
from trtbuild.fixes.fold_constants import FoldConstants
from trtbuild.fixes.set_dimension import SetDimension

__all__ = ["Fix"]

Fix = Annotated[
    FoldConstants | DropIdentity | FoldBatchnorm | SetDimension,
    Field(discriminator="kind"),
]
