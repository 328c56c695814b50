"""Raise the model's opset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import StepInputError
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.rewriting import rewrite

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

__all__ = ["SetOpset"]


class SetOpset(FixKind):
    """Raise the model to a later opset, by ONNX's own version converter.

    Nodes and tensors keep their names. Operators that the converter cannot carry over, and going
    down, are refused: export the model at that opset instead.
    """

    equal: ClassVar[bool] = True
    measured: ClassVar[Literal["", "equal", "moved"]] = "equal"

    kind: Literal["set_opset"]
    opset: Annotated[int, Field(ge=7, le=22)]
    """The opset, 22 at most: later ones need an IR version that not every TensorRT reads."""

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: the model's opset is a later one, or cannot be raised.
        """
        log, old = FixLog(), graph.opset
        if old == self.opset:
            log.remark(f"set_opset: the model is written in opset {old} already")
            return log
        if old > self.opset:
            raise StepInputError(
                f"set_opset: the model is written in opset {old}, later than {self.opset}",
                hint=f"export it with opset {self.opset}: operators cannot be lowered",
            )
        rewrite(graph, lambda model: self._raise(model, log))
        log.changed("opset", f"{old} → {self.opset}")
        return log

    def _raise(self, model: onnx.ModelProto, log: FixLog) -> onnx.ModelProto:
        from trtbuild.model.opset import raise_opset

        made, remarks = raise_opset(model, self.opset, what="the recipe's `set_opset`")
        log.remarks += remarks[1:]  # the first one says that it was raised
        return made
