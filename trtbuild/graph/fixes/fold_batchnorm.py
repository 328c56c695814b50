"""fold_batchnorm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from trtbuild.core.options import Options
from trtbuild.graph.base import Account

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs


class FoldBatchnorm(Options):
    """TODO."""

    kind: Literal["fold_batchnorm"]

    def apply(self, graph: gs.Graph) -> Account:
        """Change the graph in place and say what was done."""
        raise NotImplementedError
