"""Graph fixes; the union is the registry."""

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.fixes import (
        add_nms,
        cast_io,
        decompose,
        drop_identity,
        embed_preprocess,
        entrypoint,
        extract,
        fold_batchnorm,
        fold_constants,
        remove_qdq,
        rename,
        replace_op,
        set_dimension,
        set_opset,
        simplify,
        split_shared_weights,
        symmetrize_qdq,
    )

__all__ = ["Fix"]

Fix = OneOf[
    """
    fold_constants.FoldConstants
    | drop_identity.DropIdentity
    | fold_batchnorm.FoldBatchnorm
    | simplify.Simplify
    | set_opset.SetOpset
    | set_dimension.SetDimension
    | rename.Rename
    | extract.Extract
    | cast_io.CastIo
    | replace_op.ReplaceOp
    | decompose.Decompose
    | split_shared_weights.SplitSharedWeights
    | remove_qdq.RemoveQdq
    | symmetrize_qdq.SymmetrizeQdq
    | add_nms.AddNms
    | embed_preprocess.EmbedPreprocess
    | entrypoint.FixesPython
    """,
    __name__,
]
