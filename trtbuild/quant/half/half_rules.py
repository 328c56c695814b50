"""Which nodes stay in float32 when a model becomes 16-bit, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.model.folding import fold_value
from trtbuild.model.nodes import WEIGHTED, iterate_bodies, name_of
from trtbuild.model.view import GraphView, read_ints
from trtbuild.quant.half_types import HalfType
from trtbuild.quant.requests import PrecisionRequests

if TYPE_CHECKING:
    import onnx

__all__ = ["PAIR", "TypedSlots", "find_half_slots", "find_kept_nodes"]

PAIR = frozenset({"QuantizeLinear", "DequantizeLinear"})
"""They follow what they read and what reads them."""

UNFIT = frozenset({"Celu", "NonMaxSuppression", "Upsample"})
"""Operators that TensorRT does not have in 16 bits, though ONNX does."""

FLOATS = {"float", None}

UNKNOWN_TO_TENSORRT = frozenset(
    (op, "bf16")
    for op in ("ConvTranspose", "GRU", "HardSwish", "LpNormalization", "LpPool", "Mish")
)
"""What TensorRT-RTX 1.7.1 refuses to parse or build, type by type, though ONNX has it: of some 100
operators tried, one in a net each, these."""


@dataclass(frozen=True)
class TypedSlots:
    """The operands and results of a node that change their type with it."""

    inputs: frozenset[int]
    outputs: frozenset[int]


def find_half_slots(view: GraphView, index: int, half: HalfType) -> TypedSlots | None:
    """Return what of a node becomes 16-bit; None where ONNX has no such form of the operator.

    The sizes that Resize takes stay float32, as do results of a type that no operand decides.
    """
    node = view.nodes[index]
    schema = _schema(node, view.opset)
    if schema is None:
        return None
    allowed = {
        each.type_param_str
        for each in schema.type_constraints
        if f"tensor({half.onnx_name})" in each.allowed_type_strs
    }
    inputs = _floats(view, node.input, schema.inputs)
    if node.op_type == "Resize":
        inputs = {slot: kind for slot, kind in inputs.items() if slot == 0}
    outputs = _floats(view, node.output, schema.outputs)
    if node.op_type == "Cast":
        outputs = outputs if "T2" in allowed else {}
        return TypedSlots(frozenset(inputs), frozenset(outputs))
    if not set(inputs.values()) <= allowed:
        return None
    free = {slot for slot, kind in outputs.items() if kind in set(inputs.values())}
    return TypedSlots(frozenset(inputs), frozenset(free))


def _schema(node: onnx.NodeProto, opset: int) -> onnx.defs.OpSchema | None:
    import onnx

    if node.domain not in {"", "ai.onnx"}:
        return None
    try:
        return onnx.defs.get_schema(node.op_type, opset, "")
    except onnx.defs.SchemaError:
        return None


def _floats(
    view: GraphView, names: list[str], formal: list[onnx.defs.OpSchema.FormalParameter]
) -> dict[int, str]:
    """Return the slots that hold float32, with the type variable of each."""
    return {
        slot: formal[min(slot, len(formal) - 1)].type_str
        for slot, name in enumerate(names)
        if name and view.dtype(name) == "float"
    }


def find_kept_nodes(
    view: GraphView, half: HalfType, *, largest: Mapping[str, float], requests: PrecisionRequests
) -> dict[int, str]:
    """Say which nodes stay in float32, by their place, and why.

    `largest` is the largest absolute value that calibration saw of a tensor.
    """
    found = {}
    for index, node in enumerate(view.nodes):
        if node.op_type not in PAIR | {"Constant"} and not _is_made_of_integers(view, node):
            reason = _reason(view, index, half, largest, requests)
            if reason:
                found[index] = reason
    return _add_sandwiched(view, found)


def _is_made_of_integers(view: GraphView, node: onnx.NodeProto) -> bool:
    names = (*node.input, *node.output)
    no_body = next(iterate_bodies(node), None) is None
    return no_body and not any(view.dtype(name) in FLOATS for name in names if name)


def _reason(
    view: GraphView,
    index: int,
    half: HalfType,
    largest: Mapping[str, float],
    requests: PrecisionRequests,
) -> str:
    node = view.nodes[index]
    if wished := requests.object_to_half(name_of(node), node.op_type):
        return wished
    if next(iterate_bodies(node), None) is not None:
        return "it has a body"
    if index in view.behind:
        return f"it is, or stands behind, the plugin {view.behind[index]}"
    slots = find_half_slots(view, index, half)
    unknown = node.op_type in UNFIT or (node.op_type, half.name) in UNKNOWN_TO_TENSORRT
    if slots is None or unknown:
        return f"there is no {node.op_type} in {half.name}"
    if node.op_type == "Cast" and slots.inputs and not slots.outputs:
        return "it turns numbers into integers, and few of those are exact in 16 bits"
    return next(_overflows(view, index, slots, half, largest), "")


def _overflows(
    view: GraphView, index: int, slots: TypedSlots, half: HalfType, largest: Mapping[str, float]
) -> Iterator[str]:
    """Yield what a node's values and constants do not fit."""
    node = view.nodes[index]
    for slot in sorted(slots.inputs):
        name = node.input[slot]
        if view.is_constant(name) and not (node.op_type == "Clip" and slot):
            yield from _constant(view, name, half, weighs=node.op_type in WEIGHTED)
    results = [node.output[slot] for slot in sorted(slots.outputs)]
    for name in (*(node.input[slot] for slot in sorted(slots.inputs)), *results):
        if largest.get(name, 0) > half.safe:
            yield (
                f"`{name}` reaches {largest[name]:.3g} in calibration, and {half.name} ends at "
                f"{half.largest:.3g}"
            )
    if node.op_type == "ReduceL2" and largest.get(node.output[0], 0) ** 2 > half.safe:
        yield f"the squares that it sums overflow {half.name}"
    yield from _scales(view, node, half)


def _constant(view: GraphView, name: str, half: HalfType, *, weighs: bool) -> Iterator[str]:
    import numpy as np

    values = np.abs(fold_value(view, name))
    values = values[np.isfinite(values)]
    most = float(values.max(initial=0))
    if most > half.largest:
        yield f"its constant `{name}` ({most:.3g}) overflows {half.name}"
    if 0 < most < half.smallest and not weighs:
        yield f"its constant `{name}` ({most:.3g}) vanishes in {half.name}"


def _scales(view: GraphView, node: onnx.NodeProto, half: HalfType) -> Iterator[str]:
    """Yield what is wrong with the scales of a weighted node's pairs in 16 bits."""
    import numpy as np

    if node.op_type not in WEIGHTED:
        return
    for operand in node.input[:2]:
        pair = view.producer(operand)
        if pair is None or pair.op_type != "DequantizeLinear" or not view.held(pair.input[1]):
            continue
        scales = fold_value(view, pair.input[1]).astype(np.float64)
        if (np.abs(half.cast(scales).astype(np.float64) - scales) > scales / 128).any():
            yield f"the scale `{pair.input[1]}` has no near value in {half.name}"


def _add_sandwiched(view: GraphView, found: dict[int, str]) -> dict[int, str]:
    """Add the nodes that read nothing but what stays float32 and whose results go nowhere else.

    In 16 bits they would only cost the casts on both sides.
    """
    waiting = True
    while waiting:
        waiting = False
        for index, node in enumerate(view.nodes):
            if index in found or node.op_type in {*WEIGHTED, *PAIR, "Constant"}:
                continue
            makers = [
                view.producers.get(name)
                for name in node.input
                if view.dtype(name) == "float" and not view.is_constant(name)
            ]
            readers = [where for name in node.output for where, _ in view.readers.get(name, ())]
            if makers and readers and set(makers) <= found.keys() and set(readers) <= found.keys():
                found[index] = "it stands between nodes in float32"
                waiting = True
    return found


def is_cast_to_float(node: onnx.NodeProto) -> bool:
    """Tell a Cast that makes float32."""
    return node.op_type == "Cast" and read_ints(node, "to") == (1,)
