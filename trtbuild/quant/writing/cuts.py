"""Layers whose result is cut up for an attention: INT8 is lost there unless the cuts are held.

TensorRT-RTX 1.7 draws such cuts into the layer in front of them: it dequantizes the weight, cuts
it, and multiplies in float. It does so to a MatMul or Gemm, with or without a bias, where nothing
is computed between it and the cuts, nor on the parts as they come out of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import TYPES
from trtbuild.core.records import RequestedLayer
from trtbuild.core.words import join_few
from trtbuild.model.editor import Editor
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView, Site
from trtbuild.quant.flow import passes
from trtbuild.quant.half_types import QUANTIZED_TYPES, find_half
from trtbuild.quant.quantized_graph import LINEAR

if TYPE_CHECKING:
    import onnx

__all__ = ["find_loose_parts", "hold_cuts"]

VIEWS = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
CUTS = frozenset({"Gather", "Slice", "Split"})
PRODUCTS = frozenset({"Einsum", "MatMul"})
BY_CONSTANT = frozenset({"Add", "Div", "Mul", "Sub"})

LEAST = 2
"""How many parts must reach an attention: keys and values may come without queries."""

SHOWN = 5
"""How many layers the remark lists before it counts the rest."""


def hold_cuts(model: onnx.ModelProto, layers: Iterable[RequestedLayer]) -> tuple[str, ...]:
    """Put an Add of -0.0, which changes no bit, behind what is cut from INT8 layers, in place.

    Behind queries, keys and values as they come from one MatMul or Gemm through Reshape, Transpose
    and Slice, Gather or Split, that keeps TensorRT-RTX from computing it in float. A model without
    such a layer is not touched; held cuts are not held again.

    `layers` say what is asked of each weighted node of the quantized model.

    Returns:
        A remark that names the layers; none where there is no such layer.
    """
    view = GraphView(model)
    wanted = {layer.name for layer in layers if _multiplies(layer)}
    found = {
        name_of(node): parts
        for index, node in enumerate(view.nodes)
        if name_of(node) in wanted and (parts := find_loose_parts(view, index))
    }
    if not found:
        return ()
    editor = Editor(model)
    zeros: dict[str, str] = {}
    for part in dict.fromkeys(part for parts in found.values() for part in parts):
        _hold(editor, part, zeros)
    editor.finish()
    names = join_few([f"`{name}`" for name in found], SHOWN)
    what = f"behind each part that is cut from {names} stands an Add of -0.0"
    return (f"{what}: it changes no value, and TensorRT-RTX would compute in float without it",)


def _multiplies(layer: RequestedLayer) -> bool:
    """Tell whether a layer is to multiply in a quantized type, not merely to be stored in it."""
    return layer.precision in TYPES and not TYPES[layer.precision].weights_only


def _hold(editor: Editor, part: str, zeros: dict[str, str]) -> None:
    """Let whoever reads a part read it through an Add; `zeros` are the constants by type."""
    import numpy as np

    half = find_half(kind := str(editor.view.dtype(part)))
    if kind not in zeros:
        zero = np.array(-0.0, np.float32 if half is None else half.dtype)
        zeros[kind] = editor.constant("negative_zero", zero)
    sites = editor.view.readers[part]
    held = editor.node_before(
        min(sites)[0], "Add", f"{part}_hold", [part, zeros[kind]], f"{part}_held"
    )
    for site in sites:
        editor.read(site, held)


def find_loose_parts(view: GraphView, index: int) -> Sequence[str]:
    """Return the parts that a layer's result is cut into for an attention and nothing holds."""
    node = view.nodes[index]
    if node.op_type not in {"Gemm", "MatMul"} or not _has_weight(view, node):
        return ()
    results = [node.output[0]]
    results += [view.nodes[at].output[0] for at, _ in _list_added(view, node.output[0])]
    cuts = dict.fromkeys(
        at
        for result in results
        for at, _ in _walk(view, result, lambda site: view.nodes[site[0]].op_type in VIEWS)
        if view.nodes[at].op_type in CUTS
    )
    parts = [part for at in cuts for part in view.nodes[at].output if part in view.readers]
    if sum(_reaches_attention(view, part) for part in parts) < LEAST:
        return ()
    return [
        part
        for part in parts
        if view.dtype(part) in QUANTIZED_TYPES
        and len(_list_added(view, part)) < len(view.readers[part])
    ]


def _has_weight(view: GraphView, node: onnx.NodeProto) -> bool:
    """Tell whether a node multiplies by a constant, quantized or not."""
    return any(_is_stored(view, name) for name in node.input[:2])


def _is_stored(view: GraphView, tensor: str) -> bool:
    while (maker := view.producer(tensor)) is not None and maker.op_type in LINEAR:
        tensor = maker.input[0]
    return view.is_constant(tensor)


def _list_added(view: GraphView, tensor: str) -> list[Site]:
    """Return the places where a constant is added to a tensor, such as a bias."""
    return [
        (index, slot)
        for index, slot in view.readers.get(tensor, ())
        if view.nodes[index].op_type == "Add"
        and view.is_constant(view.nodes[index].input[1 - slot])
    ]


def _reaches_attention(view: GraphView, part: str) -> bool:
    """Tell whether a part, shifted and scaled at most, comes to a product of two activations."""
    return any(
        view.nodes[index].op_type in PRODUCTS and not _has_weight(view, view.nodes[index])
        for index, _ in _walk(view, part, lambda site: _hands_on(view, *site))
    )


def _hands_on(view: GraphView, index: int, slot: int) -> bool:
    node = view.nodes[index]
    if node.op_type in BY_CONSTANT:
        return view.is_constant(node.input[1 - slot])
    return node.op_type in {*LINEAR, *CUTS, "Cast"} or passes(view, index, slot)


def _walk(view: GraphView, tensor: str, through: Callable[[Site], bool]) -> Iterator[Site]:
    """Yield who reads a tensor, and who reads what the nodes make of it that are gone through."""
    waiting, seen = [tensor], {tensor}
    while waiting:
        for site in view.readers.get(waiting.pop(), ()):
            yield site
            if through(site):
                made = [name for name in view.nodes[site[0]].output if name not in seen]
                waiting += made
                seen.update(made)
