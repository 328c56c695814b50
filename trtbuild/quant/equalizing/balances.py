"""Balances: activations whose channels can be scaled, since both sides hold constants for that.

What comes before is divided by a factor for each channel, what reads it is multiplied by it, and
the model computes what it did. That takes a way between the two that is positively homogeneous:
f(s·x) = s·f(x) for s > 0, which Relu is, and Relu6 or Silu is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trtbuild.model.nodes import WEIGHTED
from trtbuild.model.view import GraphView, Site, read_ints

if TYPE_CHECKING:
    import onnx

__all__ = ["Balance", "find_balances", "find_multiplied"]

HOMOGENEOUS = frozenset(
    "Abs AveragePool GlobalAveragePool GlobalMaxPool Identity LeakyRelu MaxPool PRelu Relu".split()  # noqa: SIM905
)
NORMALIZING = {
    "BatchNormalization": 1,
    "InstanceNormalization": 1,
    "LayerNormalization": -1,
}
"""Operators whose second and third operands hold a value for each channel, by their axis."""


@dataclass(frozen=True)
class Balance:
    """An activation between constants that can be divided, and weights that can be multiplied."""

    tensor: str
    kind: Literal["cross_layer", "smooth", "inserted"]
    axis: int
    """Of its channels."""
    rank: int
    channels: int
    sources: tuple[Site, ...]
    """Operands that hold the constants, with a value for each channel; without any, a Mul in front
    of the readers divides."""
    readers: tuple[Site, ...]
    """Operands that hold the weights of all that read it."""


def find_balances(view: GraphView) -> Iterator[Balance]:
    """Yield each activation that can be balanced, in graph order; constants are float32."""
    for tensor, sites in view.readers.items():
        if view.is_constant(tensor) or not view.is_read(tensor, times=len(sites)):
            continue
        dims = view.dims(tensor)
        nodes = [view.nodes[index] for index, _ in sites]
        if dims is None or not all(node.op_type in WEIGHTED for node in nodes):
            continue
        axes = {
            _find_read_axis(view, node, slot, len(dims))
            for node, (_, slot) in zip(nodes, sites, strict=True)
        }
        axis = axes.pop()
        if axis is None or axes or not (size := dims[axis]):
            continue
        found = _find_sources(view, tensor, axis, len(dims), len(sites))
        if found is None:
            continue
        kind, sources = found
        readers = tuple((index, 1) for index, _ in sites)
        if all(_is_float(view, site) for site in (*sources, *readers)):
            yield Balance(tensor, kind, axis, len(dims), size, tuple(sources), readers)


def find_multiplied(view: GraphView) -> Iterator[Balance]:
    """Yield each activation that Gemms and MatMuls read, whatever makes it, and reads it too."""
    for tensor, sites in view.readers.items():
        dims = view.dims(tensor)
        if view.is_constant(tensor) or not dims or not (size := dims[-1]):
            continue
        rank = len(dims)
        readers = tuple(
            (index, 1)
            for index, slot in sites
            if view.nodes[index].op_type in {"Gemm", "MatMul"}
            and _find_read_axis(view, view.nodes[index], slot, rank) == rank - 1
            and len(view.dims(view.nodes[index].input[1]) or ()) == 2  # noqa: PLR2004
        )
        if readers and all(_is_float(view, site) for site in readers):
            yield Balance(tensor, "inserted", rank - 1, rank, size, (), readers)


def _find_read_axis(view: GraphView, node: onnx.NodeProto, slot: int, rank: int) -> int | None:
    """Return the axis over which a layer sums its input; None where its weight is no constant."""
    if slot != 0 or not view.is_constant(node.input[1]):
        return None
    if node.op_type in {"Conv", "ConvTranspose"}:
        return 1
    turned = node.op_type == "Gemm" and (read_ints(node, "transA") or (0,)) != (0,)
    return None if turned or len(view.dims(node.input[1]) or ()) < 2 else rank - 1  # noqa: PLR2004


def _find_sources(
    view: GraphView, tensor: str, axis: int, rank: int, times: int
) -> tuple[Literal["cross_layer", "smooth"], list[Site]] | None:
    """Return what a tensor's channels can be divided by; None where something is in the way."""
    sources: list[Site] = []
    while (index := view.producers.get(tensor)) is not None and view.is_read(tensor, times=times):
        node, times = view.nodes[index], 1
        if len(view.dims(tensor) or ()) != rank or len([name for name in node.output if name]) > 1:
            return None
        if node.op_type in HOMOGENEOUS or _cuts_below_zero(view, node):
            tensor = node.input[0]
        elif node.op_type in {"Add", "Mul"}:
            slot = next((s for s in (0, 1) if view.is_constant(node.input[s])), None)
            if slot is None:
                return None
            sources.append((index, slot))
            if node.op_type == "Mul":
                return "smooth", sources
            tensor = node.input[1 - slot]
        elif (own := _list_own(view, index, axis, rank)) is not None:
            kind: Literal["cross_layer", "smooth"] = (
                "cross_layer" if node.op_type in WEIGHTED else "smooth"
            )
            return kind, sources + own
        else:
            return None
    return None


def _list_own(view: GraphView, index: int, axis: int, rank: int) -> list[Site] | None:
    """Return a node's own operands with a value for each channel of its output along an axis."""
    node = view.nodes[index]
    if node.op_type in NORMALIZING:
        along = NORMALIZING[node.op_type]
        whole = (read_ints(node, "axis") or (-1,))[0] in {-1, rank - 1}
        fits = along % rank == axis and (node.op_type != "LayerNormalization" or whole)
    elif node.op_type in {"Conv", "ConvTranspose"}:
        fits = axis == 1
    else:
        fits = node.op_type in {"Gemm", "MatMul"} and axis == rank - 1
    slots = [slot for slot in (1, 2) if slot < len(node.input) and node.input[slot]]
    if not fits or not all(view.is_constant(node.input[slot]) for slot in slots):
        return None
    if len(view.dims(node.input[1]) or ()) < (2 if node.op_type in WEIGHTED else 1):
        return None
    return [(index, slot) for slot in slots]


def _cuts_below_zero(view: GraphView, node: onnx.NodeProto) -> bool:
    """Tell a Clip from 0 on, without an upper end, which is a Relu."""
    from trtbuild.model.folding import fold_value

    ends = [*node.input[1:], "", ""][:2]
    if node.op_type != "Clip" or ends[1] or not ends[0] or node.attribute:
        return False
    return view.is_constant(ends[0]) and not fold_value(view, ends[0]).any()


def _is_float(view: GraphView, site: Site) -> bool:
    return view.dtype(view.nodes[site[0]].input[site[1]]) == "float"
