"""Graph fixes; the union is the registry."""

from typing import Annotated

from trtbuild.core.kinds import BY_KIND
from trtbuild.fixes.add_nms import AddNms
from trtbuild.fixes.cast_io import CastIo
from trtbuild.fixes.decompose import Decompose
from trtbuild.fixes.drop_identity import DropIdentity
from trtbuild.fixes.entrypoint import FixesPython
from trtbuild.fixes.extract import Extract
from trtbuild.fixes.fold_batchnorm import FoldBatchnorm
from trtbuild.fixes.fold_constants import FoldConstants
from trtbuild.fixes.remove_qdq import RemoveQdq
from trtbuild.fixes.rename import Rename
from trtbuild.fixes.replace_op import ReplaceOp
from trtbuild.fixes.set_dimension import SetDimension
from trtbuild.fixes.set_opset import SetOpset
from trtbuild.fixes.simplify import Simplify
from trtbuild.fixes.split_shared_weights import SplitSharedWeights
from trtbuild.fixes.symmetrize_qdq import SymmetrizeQdq

__all__ = ["Fix"]

Fix = Annotated[
    FoldConstants
    | DropIdentity
    | FoldBatchnorm
    | Simplify
    | SetOpset
    | SetDimension
    | Rename
    | Extract
    | CastIo
    | ReplaceOp
    | Decompose
    | SplitSharedWeights
    | RemoveQdq
    | SymmetrizeQdq
    | AddNms
    | FixesPython,
    BY_KIND,
]
