"""Give Q/DQ pairs the form that TensorRT takes: int8 without a zero point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.pairs import DEQUANTIZE, QUANTIZE, Linear, find_linears
from trtbuild.fixes.tensors import Names

if TYPE_CHECKING:
    import numpy as np
    import onnx_graphsurgeon as gs

__all__ = ["SymmetrizeQdq"]

MIDDLE = 128
MOST = 127


class SymmetrizeQdq(FixKind):
    """Make Q/DQ pairs with zero points, or of uint8, symmetric int8, which TensorRT takes.

    A range [low, high]  →  ±max(−low, high): nothing is clipped that was not, and the step grows,
    twofold behind a Relu. uint8 around 128 only moves, without an error. Weights are rounded anew,
    by channel. What each pair loses is said, and how far results move.

    Left alone: other types than int8 and uint8, and scales or zero points that are computed.
    """

    measured: ClassVar[Literal["", "equal", "moved"]] = "moved"

    kind: Literal["symmetrize_qdq"]

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done."""
        log, names, steps, errors = FixLog(), Names(graph), [1.0], [0.0]
        for linear in find_linears(graph, QUANTIZE):
            readers = [Linear(each) for each in linear.result.outputs]
            if not _takes_part(linear, [each.node for each in readers], log):
                continue
            step = _symmetrize(linear, readers, names)
            steps.append(step)
            log.changed(linear.node.name, f"its step is {step:.3g} times as large")
        for linear in find_linears(graph, DEQUANTIZE):
            if linear.source.inputs or not _takes_part(linear, [], log):
                continue
            error = _round_anew(linear, names)
            errors.append(error)
            log.changed(linear.node.name, f"its weights are off by {100 * error:.2g} % at most")
        if log.changes:
            log.remark(
                f"symmetrize_qdq: {len(log.changes)} made symmetric; steps grow {max(steps):.3g} "
                f"times at most, weights are off by {100 * max(errors):.2g} % of their "
                "largest at most"
            )
        return log


def _takes_part(linear: Linear, readers: Sequence[gs.Node], log: FixLog) -> bool:
    """Tell whether a node is asymmetric and can be made symmetric; note why one cannot."""
    import numpy as np
    import onnx_graphsurgeon as gs

    constant = isinstance(linear.source, gs.Constant)
    dtype = _dtype(linear)
    reason = {
        "its scale or zero point is computed": not linear.is_known,
        "its integers come from outside": linear.node.op == DEQUANTIZE and not constant,
        "other operators read its integers": any(each.op != DEQUANTIZE for each in readers),
        f"it is {dtype}": dtype not in {"int8", "uint8"},
    }
    if dtype == "int8" and linear.is_known:
        zero = linear.zero()
        if zero is None or not np.any(zero):
            return False
    found = next((text for text, holds in reason.items() if holds), "")
    plain = dtype in {"int32", "unknown"} or "float" in dtype  # biases have no zero point
    if found and not (plain and linear.node.op == DEQUANTIZE):
        log.left(linear.node.name, found)
    return not found


def _dtype(linear: Linear) -> str:
    import numpy as np

    held = linear.source if linear.node.op == DEQUANTIZE else linear.result
    zero = linear.zero() if linear.is_known else None
    if zero is not None:
        return str(zero.dtype)
    if held.dtype is None:
        return "unknown"
    try:
        return str(np.dtype(held.dtype))
    except TypeError:  # a number of ONNX for what NumPy does not know
        return "unknown"


def _zeros(linear: Linear) -> Any:
    import numpy as np

    zero = linear.zero()
    return np.zeros((), np.float64) if zero is None else zero.astype(np.float64)


def _symmetrize(linear: Linear, readers: Sequence[Linear], names: Names) -> float:
    """Rewrite a pair; return how many times its step has grown."""
    import numpy as np

    scale, zero = linear.scale(), _zeros(linear)
    lowest, highest = (0, 255) if _dtype(linear) == "uint8" else (-MIDDLE, MOST)
    limits = np.maximum(zero - lowest, highest - zero) / MOST
    grown = np.where(zero - lowest == MIDDLE, 1.0, limits) * np.ones(scale.shape)
    made = (scale.astype(np.float64) * grown).astype(scale.dtype)
    for each in (linear, *readers):
        _set(each, made, names)
    linear.result.dtype = np.dtype(np.int8)
    return float(grown.max())


def _round_anew(linear: Linear, names: Names) -> float:
    """Rewrite a constant; return its largest error, as a share of its largest value."""
    import numpy as np
    import onnx_graphsurgeon as gs

    held, scale = linear.source.values, linear.scale()
    zero = linear.spread(np.ones(scale.shape) * _zeros(linear), held.shape)
    moved = held.astype(np.float64) - zero
    exact = moved.min(initial=0) >= -MIDDLE and moved.max(initial=0) <= MOST
    made, integers = scale, moved
    if not exact:
        limits = _limits(linear, moved, scale.shape) / MOST
        made = (scale.astype(np.float64) * np.where(limits > 0, limits, 1)).astype(scale.dtype)
        integers = np.rint(moved / linear.spread(np.where(limits > 0, limits, 1), held.shape))
    values = moved * linear.spread(scale.astype(np.float64), held.shape)
    found = integers * linear.spread(made.astype(np.float64), held.shape)
    largest = float(np.abs(values).max(initial=0))
    constant = gs.Constant(names.fresh(f"{linear.source.name}_int8"), integers.astype(np.int8))
    linear.node.inputs[0] = constant
    _set(linear, made, names)
    return float(np.abs(values - found).max(initial=0) / largest) if largest else 0.0


def _limits(linear: Linear, moved: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the largest |q − zero| that each of the scales meets."""
    import numpy as np

    sizes = np.abs(moved)
    if int(np.prod(shape)) <= 1 or linear.node.attrs.get("block_size", 0):
        return np.full(shape, sizes.max(initial=0))
    axis = linear.node.attrs.get("axis", 1) % moved.ndim
    others = tuple(place for place in range(moved.ndim) if place != axis)
    return np.asarray(sizes.max(axis=others, initial=0).reshape(shape))


def _set(linear: Linear, scale: np.ndarray, names: Names) -> None:
    import numpy as np
    import onnx_graphsurgeon as gs

    node, scale = linear.node, np.asarray(scale)  # NumPy makes scalars of arrays without axes
    old, name = node.inputs[1].name, node.name
    same = np.array_equal(node.inputs[1].values, scale)
    wanted = node.inputs[1] if same else gs.Constant(names.fresh(f"{old}_{name}"), scale)
    zero = gs.Constant(names.fresh(f"{name}_zero"), np.zeros(scale.shape, np.int8))
    node.inputs = [node.inputs[0], wanted, zero]
    node.attrs.pop("output_dtype", None)
