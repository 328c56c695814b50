"""Insert Q/DQ: write a placement into a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.model.editor import Editor
from trtbuild.model.folding import fold_value
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView, Site
from trtbuild.quant.account import TensorAccount, WeightAccount
from trtbuild.quant.half_types import HalfType, find_half
from trtbuild.quant.limits import compute_scale
from trtbuild.quant.placing.placement import Pair, Placement, WeightCopy
from trtbuild.quant.writing.blocks import quantize_blocks
from trtbuild.quant.writing.weights import QuantizedWeight, WeightScaling, quantize_weight

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

__all__ = ["insert_pairs"]


def insert_pairs(
    model: onnx.ModelProto,
    placement: Placement,
    scaling: WeightScaling | None = None,
    *,
    half: HalfType | None = None,
) -> tuple[tuple[TensorAccount, ...], tuple[WeightAccount, ...]]:
    """Write the Q/DQ pairs and the quantized weights into a model, in place.

    For an activation `t`: `t` → `t_quantize` → `t_quantized` → `t_dequantize` → `t_dequantized`,
    with a scalar float32 `t_scale` (shape [1] would run in float, silently) and a zero of the type
    `t_zero_point`. For a weight `w`: its numbers, the initializer `w_quantized`, in its place, and
    `w_dequantize`, with `w_scale` and `w_zero_point` of shape [channels]. Names that are taken
    get a number, and nameless nodes the name of their first output, so that an account can name
    them. Zero points are written out, since a QuantizeLinear without one gives uint8. Scales of a
    16-bit tensor are of its type, as TensorRT wants; with `half`, those of others are such as that
    type can hold.

    Returns:
        What was inserted for activations, and for weights, in graph order.

    Raises:
        StepInputError: a weight holds a NaN or an infinity.
    """
    editor = Editor(model)
    tensors = tuple(_pair(editor, pair, half) for pair in placement.pairs)
    weights = tuple(_weight(editor, copy, scaling, half) for copy in placement.weights)
    editor.finish()
    return tensors, weights


def _pair(editor: Editor, pair: Pair, half: HalfType | None) -> TensorAccount:
    import numpy as np

    name = pair.tensor
    own = find_half(editor.view.dtype(name))
    scale = compute_scale(pair.limit, own or half, pair.into)
    written = np.array(scale, own.dtype if own else np.float32)
    parameters = editor.parameters(name, written, pair.into.dtype)
    quantized = editor.node_before(
        pair.sites[0][0],
        "QuantizeLinear",
        f"{name}_quantize",
        [name, *parameters],
        f"{name}_quantized",
    )
    _dequantize(editor, name, [quantized, *parameters], pair.sites)
    return TensorAccount(
        name=name,
        limit=pair.limit,
        scale=scale,
        readers=_readers(editor.view, pair.sites),
        shared_with=pair.shared_with,
    )


def _weight(
    editor: Editor,
    copy: WeightCopy,
    scaling: WeightScaling | None,
    half: HalfType | None,
) -> WeightAccount:
    import numpy as np

    name = copy.tensor
    own = find_half(editor.view.dtype(name))
    values = fold_value(editor.view, name).astype(np.float32, copy=False)
    try:
        found = _round_weight(values, copy, scaling, own or half)
    except ValueError as error:
        raise StepInputError(
            f"weight `{name}` of node `{_readers(editor.view, copy.sites)[0]}` {error}",
            hint="the model is broken: export it again from weights that are finite",
        ) from None
    integers = editor.constant(f"{name}_quantized", found.values)
    scales = found.scales.astype(own.dtype if own else np.float32)  # exact: they are rounded so
    operands = [integers, *editor.parameters(name, scales, copy.into.dtype)]
    _dequantize(editor, name, operands, copy.sites, copy.axis, copy.block)
    return WeightAccount(
        name=name,
        axis=copy.axis,
        channels=found.scales.size,
        block=copy.block,
        dead=found.dead,
        tiny=found.tiny,
    )


def _round_weight(
    values: npt.NDArray[np.float32],
    copy: WeightCopy,
    scaling: WeightScaling | None,
    half: HalfType | None,
) -> QuantizedWeight:
    if copy.block is None:
        return quantize_weight(values, copy.axis, scaling, half=half, into=copy.into)
    return quantize_blocks(values, copy.axis, copy.block, scaling, half=half, into=copy.into)


def _dequantize(
    editor: Editor,
    name: str,
    operands: list[str],
    sites: Sequence[Site],
    axis: int | None = None,
    block: int | None = None,
) -> None:
    result = editor.dequantize_before(sites[0][0], name, operands, axis, block)
    for site in sites:
        editor.read(site, result)


def _readers(view: GraphView, sites: Sequence[Site]) -> tuple[str, ...]:
    names = (name_of(view.nodes[index]) for index, _ in sites)
    return tuple(dict.fromkeys(names))
