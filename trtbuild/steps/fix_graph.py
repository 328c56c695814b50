"""Run the recipe's graph fixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.graph import Fix
from trtbuild.steps.base import Context, Ref, Step

__all__ = ["FixGraph"]


class FixGraph(Step):
    """Apply the fixes in order, check the model, and describe it."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {
        "model": "model.onnx",
        "account": "fixes.json",
        "signature": "signature.json",
    }

    kind: Literal["fix_graph"] = "fix_graph"
    model: Ref
    fixes: tuple[Fix, ...] = ()

    def run(self, context: Context) -> None:
        """Write the fixed model, the accounts of its fixes, and its signature."""
        raise NotImplementedError
