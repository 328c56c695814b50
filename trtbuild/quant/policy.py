"""Which tensors become INT8, at which granularity, and which layers are left float, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.quant.layers import layers_of
from trtbuild.quant.residual import residuals_of
from trtbuild.quant.view import View, name_of

if TYPE_CHECKING:
    import onnx

__all__ = ["candidates"]


def candidates(model: onnx.ModelProto) -> list[str]:
    """Name the activations that quantization may want a range for, in graph order.

    These are the activations that weighted layers read and the skip inputs of residual Adds;
    neither `skip` nor manual ranges change the list, so a calibration serves every recipe.

    Raises:
        StepInputError: the model is quantized already.
    """
    view = View(model)
    refuse_quantized(view)
    wanted = {
        (layer.index, slot): view.nodes[layer.index].input[slot]
        for layer in layers_of(view)
        for slot in layer.activations
    }
    for residual in residuals_of(view):
        skip = view.nodes[residual.add].input[residual.skip]
        wanted[residual.add, residual.skip] = skip
    return list(dict.fromkeys(wanted[site] for site in sorted(wanted)))


def refuse_quantized(view: View) -> None:
    """Refuse a model that carries quantization of its own.

    Raises:
        StepInputError: it does; names the first such node.
    """
    for node in view.nodes:
        if node.op_type in _QUANTIZED or node.op_type.startswith("QLinear"):
            raise StepInputError(
                f"the model is quantized already: node `{name_of(node)}` is a {node.op_type}",
                hint="give the float model it was made from, or leave out `quantization`",
            )


_QUANTIZED = frozenset(
    {
        "ConvInteger",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "MatMulInteger",
        "QuantizeLinear",
    }
)
