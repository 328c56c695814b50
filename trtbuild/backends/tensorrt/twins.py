"""Layers that come to the same sums of integers: TensorRT-RTX computes them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

    from trtbuild.backends.model import OnnxModel

__all__ = ["are_twins"]


def are_twins(model: OnnxModel, one: str, other: str) -> bool:
    """Tell whether two layers multiply the same integers by the same; their scales may differ.

    So do two convolutions by one weight, each with a BatchNormalization of its own folded into
    it: scaled by channels, both weights come to the same integers.
    """
    first, second = model.node(one), model.node(other)
    if first is None or second is None or first is second or not _alike(first, second):
        return False
    pairs = list(zip(first.input[:2], second.input[:2], strict=True))
    # What is cheap to tell comes first: weights are read for layers of one input alone.
    pairs.sort(key=lambda pair: model.is_constant(pair[0]))
    return all(_same_integers(model, *pair) for pair in pairs)


def _alike(one: onnx.NodeProto, other: onnx.NodeProto) -> bool:
    """Tell whether two nodes do the same with what they read."""
    first, second = (
        (each.op_type, each.domain, len(each.input), len(each.output)) for each in (one, other)
    )
    return first == second and _attributes(one) == _attributes(other)


def _attributes(node: onnx.NodeProto) -> set[bytes]:
    return {each.SerializeToString(deterministic=True) for each in node.attribute}


def _same_integers(model: OnnxModel, one: str, other: str) -> bool:
    """Tell whether two operands are the same integers, by whatever scale."""
    makers = [model.maker(name) for name in (one, other)]
    sources = [m.input[0] for m in makers if m is not None and m.op_type == "DequantizeLinear"]
    first, second = sources if len(sources) == len(makers) else (one, other)
    if model.is_constant(first) and model.is_constant(second):
        return first == second or _equal(_integers(model, first), _integers(model, second))
    return _same(model, first, second)


def _same(model: OnnxModel, one: str, other: str) -> bool:
    """Tell whether two tensors are made in the same way of the same."""
    waiting, seen = [(one, other)], set()
    while waiting:
        pair = waiting.pop()
        if pair[0] == pair[1] or pair in seen:
            continue
        seen.add(pair)
        first, second = (model.maker(name) for name in pair)
        if first is None or second is None:
            if not _equal(model.values(pair[0]), model.values(pair[1])):
                return False
        elif _alike(first, second) and _place(first, pair[0]) == _place(second, pair[1]):
            waiting += zip(first.input, second.input, strict=True)
        else:
            return False
    return True


def _place(node: onnx.NodeProto, output: str) -> int:
    return list(node.output).index(output)


def _integers(model: OnnxModel, tensor: str) -> npt.NDArray[np.generic] | None:
    """Return the integers that a constant holds, or that a QuantizeLinear makes of one."""
    import numpy as np

    node = model.maker(tensor)
    if node is None:
        return model.values(tensor)
    floats, scale = (model.values(name) for name in node.input[:2])
    if node.op_type != "QuantizeLinear" or floats is None or scale is None:
        return None
    axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
    others = tuple(each for each in range(floats.ndim) if each != axis % floats.ndim)
    wide = np.expand_dims(scale, others) if scale.size > 1 else scale
    integers: npt.NDArray[np.generic] = np.clip(
        np.rint(np.true_divide(floats, wide)), -128, 127
    ).astype(np.int8)
    return integers


def _equal(one: npt.NDArray[np.generic] | None, other: npt.NDArray[np.generic] | None) -> bool:
    import numpy as np

    return one is not None and other is not None and np.array_equal(one, other)
