"""The value of a weight that reaches its reader through nodes with constant operands only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
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
MOST_FOLDED = 1 << 24
"""Values of a result that is more than twice as large as all that is stored for it."""
_SPREADING = frozenset({"Add", "Div", "Mul", "Sub"})


def fold_value(view: GraphView, tensor: str) -> npt.NDArray[np.generic]:
    """Compute a constant: an initializer's value, or what FOLDED operators make of one.

    Raises:
        LookupError: it is no such constant.
        StepInputError: it would be far larger than what it is made of.
    """
    return _fold(view, tensor, {})


def _fold(
    view: GraphView, tensor: str, known: dict[str, npt.NDArray[np.generic]]
) -> npt.NDArray[np.generic]:
    if tensor in known:
        return known[tensor]
    held = view.held(tensor)
    if held is not None:
        known[tensor] = read_values(held)
        return known[tensor]
    node = view.producer(tensor)
    if node is None:
        raise LookupError(tensor)
    operands = {name: _fold(view, name, known) for name in dict.fromkeys(node.input) if name}
    stored = sum(values.size for name, values in known.items() if view.held(name) is not None)
    _refuse_growth(node, operands, stored)
    known[tensor] = _run(node, operands, view.opset)
    return known[tensor]


def _refuse_growth(
    node: onnx.NodeProto, operands: Mapping[str, npt.NDArray[np.generic]], stored: int
) -> None:
    """Refuse to compute what doubles again and again, or spreads one list over another."""
    sizes = [operands[name].size for name in node.input if name]
    made = sum(sizes)
    if node.op_type in _SPREADING:
        shapes = [operands[name].shape for name in node.input if name]
        longest = max(map(len, shapes), default=0)
        aligned = [(1,) * (longest - len(shape)) + shape for shape in shapes]
        made = math.prod(max(axis) for axis in zip(*aligned, strict=True))
    elif node.op_type == "Gather":
        data, picked = (operands[name] for name in node.input[:2])
        axis = next((each.i for each in node.attribute if each.name == "axis"), 0)
        made = picked.size * (data.size // max(1, data.shape[axis] if data.ndim else 1))
    if made > max(MOST_FOLDED, 2 * stored):
        raise StepInputError(
            f"`{node.output[0]}` ({node.op_type}) is computed from constants and would hold {made} "
            "values",
            hint="store what a layer reads as it is, and export the model again",
        )


def _run(
    node: onnx.NodeProto, operands: dict[str, npt.NDArray[np.generic]], opset: int
) -> npt.NDArray[np.generic]:
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(node, opsets={"": opset})
    return evaluator.run(None, operands)[0]  # type: ignore[no-any-return]
