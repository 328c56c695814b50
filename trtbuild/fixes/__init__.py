"""Graph fixes; the union is the registry."""

from typing import Annotated

from trtbuild.core.kinds import BY_KIND
from trtbuild.fixes.drop_identity import DropIdentity
from trtbuild.fixes.fold_batchnorm import FoldBatchnorm
from trtbuild.fixes.fold_constants import FoldConstants
from trtbuild.fixes.set_dimension import SetDimension

__all__ = ["Fix"]

Fix = Annotated[
    FoldConstants | DropIdentity | FoldBatchnorm | SetDimension,
    BY_KIND,
]
