"""The value of a weight that reaches its reader through nodes with constant operands only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.model.weights_file import read_values

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

    from trtbuild.model.view import GraphView

__all__ = ["FOLDED", "fold_value"]

FOLDED = frozenset(
    "Add Cast Concat Constant Div Flatten Gather Identity Mul Reshape Slice Squeeze Sub "  # noqa: SIM905
    "Transpose Unsqueeze".split()
)
"""Operators that a weight may pass through; their results on constants are constants."""


def fold_value(view: GraphView, tensor: str) -> npt.NDArray[np.generic]:
    """Compute a constant: an initializer's value, or what FOLDED operators make of one."""
    held = view.held(tensor)
    if held is not None:
        return read_values(held)
    node = view.producer(tensor)
    if node is None:
        raise LookupError(tensor)
    operands = {name: fold_value(view, name) for name in node.input if name}
    return _run(node, operands, view.opset)


def _run(
    node: onnx.NodeProto, operands: dict[str, npt.NDArray[np.generic]], opset: int
) -> npt.NDArray[np.generic]:
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(node, opsets={"": opset})
    return evaluator.run(None, operands)[0]  # type: ignore[no-any-return]
