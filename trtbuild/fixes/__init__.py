"""Graph fixes; the union is the registry."""

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.fixes import drop_identity, fold_batchnorm, fold_constants, set_dimension

__all__ = ["Fix"]

Fix = OneOf[
    """
    fold_constants.FoldConstants
    | drop_identity.DropIdentity
    | fold_batchnorm.FoldBatchnorm
    | set_dimension.SetDimension
    """,
    __name__,
]
