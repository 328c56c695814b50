"""Asked against delivered: where a quantized type was asked for and did not come, the cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.backends.model import OnnxModel
from trtbuild.backends.tensorrt.rtx_plan import (
    KNOWN_VERSION,
    Kernel,
    find_precision,
    find_weakest,
    has_sums,
)
from trtbuild.backends.tensorrt.twins import are_twins
from trtbuild.core.quantized_types import TYPES, QuantizedType
from trtbuild.core.records import LayerPrecision, RequestedLayer

if TYPE_CHECKING:
    import onnx

__all__ = ["report_delivered_by_rtx"]

NOT_KNOWN = "not known"
TURING = "7.5"


def report_delivered_by_rtx(
    asked: Sequence[RequestedLayer],
    kernels: Sequence[Kernel] | None,
    *,
    model: OnnxModel,
    built_for: Sequence[str],
) -> tuple[LayerPrecision, ...]:
    """Say for each layer what was asked for, what was delivered, and the likely cause."""
    if kernels is None:
        return tuple(_report_unread(layer, built_for) for layer in asked)
    found: dict[str, list[Kernel]] = {}
    for kernel in kernels:
        for name in {name for layer in kernel.layers for name in (layer, _inner(layer))}:
            found.setdefault(name, []).append(kernel)
    own = {layer.name: [*_find_all(layer, found, model)] for layer in asked}
    read = [
        _report_read(layer, own[layer.name], model=model, built_for=built_for) for layer in asked
    ]
    narrow = [layer for layer in read if layer.delivered in TYPES]
    return tuple(
        layer if layer in narrow or has_sums(own[layer.name]) else _with_twin(layer, narrow, model)
        for layer in read
    )


def _with_twin(
    layer: LayerPrecision, narrow: Sequence[LayerPrecision], model: OnnxModel
) -> LayerPrecision:
    """Give a layer that has no sums of its own the precision of the layer that it shares them with.

    What the compiler finds twice it computes once: the second layer is left with its scales and its
    bias, in float, or with nothing.
    """
    twins = (each for each in narrow if layer.asked == each.delivered and each.op == layer.op)
    twin = next((each for each in twins if are_twins(model, layer.name, each.name)), None)
    if twin is None:
        return layer
    return layer.model_copy(
        update={
            "delivered": twin.delivered,
            "by_capability": twin.by_capability,
            "cause": f"it is computed once with `{twin.name}`, which multiplies the same integers",
        }
    )


def _inner(layer: str) -> str:
    """Return the name of a node within a body: `conv` of `conv | body (then_branch) | if (If)`."""
    return layer.partition(" | ")[0]


def _report_unread(layer: RequestedLayer, built_for: Sequence[str]) -> LayerPrecision:
    return LayerPrecision(
        name=layer.name,
        op=layer.op,
        asked=layer.precision,
        delivered="unknown",
        by_capability=dict.fromkeys(built_for, "unknown"),
        cause=f"only plans of TensorRT-RTX {KNOWN_VERSION} can be read",
    )


def _find_all(
    layer: RequestedLayer, found: Mapping[str, list[Kernel]], model: OnnxModel
) -> Iterator[Kernel]:
    """Yield a layer's kernels; where its weight alone is quantized, what dequantizes that, too."""
    yield from _find_kernels(layer.name, found)
    into, node = TYPES.get(layer.precision), model.node(layer.name)
    for operand in node.input[:2] if into and into.weights_only and node is not None else ():
        if (pair := model.dequantizer(operand)) is not None:
            yield from _find_kernels(pair.name, found)


def _find_kernels(name: str, found: Mapping[str, list[Kernel]]) -> list[Kernel]:
    # A node without a name goes by its output's; the parser calls it so:
    return found.get(name) or found.get(f"node_of_{name}", [])


def _report_read(
    layer: RequestedLayer, kernels: Sequence[Kernel], *, model: OnnxModel, built_for: Sequence[str]
) -> LayerPrecision:
    into = TYPES.get(layer.precision)
    found = {each: _for(each, kernels, into) for each in built_for}
    delivered = find_weakest(precision for precision, _ in found.values())
    cause = next((why for precision, why in found.values() if precision == delivered and why), "")
    if layer.precision in TYPES and delivered != layer.precision:
        cause = next(_causes(layer, model, built_for), cause or NOT_KNOWN)
    return LayerPrecision(
        name=layer.name,
        op=layer.op,
        asked=layer.precision,
        delivered=delivered,
        cause=cause,
        by_capability={each: precision for each, (precision, _) in found.items()},
    )


def _for(capability: str, kernels: Sequence[Kernel], into: QuantizedType | None) -> tuple[str, str]:
    """Tell in which precision a node is multiplied on one GPU; and why where that is not told.

    A plan of TensorRT-RTX 1.7 holds one program, which lists the GPUs that it is for: they differ
    in how kernels are launched, not in their types. Of a GPU that is not listed nothing is known.
    """
    own = [each for each in kernels if not each.accelerators or capability in each.accelerators]
    if kernels and not own:
        return "unknown", f"the plan has no program for {capability}"
    if into is not None and into.weights_only and any(into.name in each.operands for each in own):
        return into.name, ""
    return find_precision(own)


def _causes(layer: RequestedLayer, model: OnnxModel, built_for: Sequence[str]) -> Iterator[str]:
    """Yield what is known to make TensorRT-RTX 1.7 compute such a layer in float."""
    into = TYPES[layer.precision].word
    if TURING in built_for:
        yield f"with {TURING} in compute_capabilities, every layer is compiled in float"
    if layer.op == "ConvTranspose":
        yield "TensorRT-RTX computes ConvTranspose in float only"
    node = model.node(layer.name)
    if node is None:
        return
    for operand, word in zip(node.input[:2], ("input", "weight"), strict=False):
        pair = model.dequantizer(operand)
        if pair is None:
            constant = model.is_constant(operand)
            yield f"its {word if constant else 'input'} `{operand}` is not quantized"
        elif model.is_constant(pair.input[0]):
            yield from _weight_causes(node, pair, model, into)
        else:
            yield from _activation_causes(pair, model)


def _activation_causes(pair: onnx.NodeProto, model: OnnxModel) -> Iterator[str]:
    scale = model.dims(pair.input[1])
    if scale == (1,):
        yield f"the scale `{pair.input[1]}` of its input has shape [1]; it must be a scalar"
    elif scale:
        yield f"the scale `{pair.input[1]}` of its input is per channel; it must be one scalar"


def _weight_causes(
    node: onnx.NodeProto, pair: onnx.NodeProto, model: OnnxModel, word: str
) -> Iterator[str]:
    scale = model.dims(pair.input[1])
    if not scale or scale == (1,):
        return
    rank = len(model.dims(_root(pair, model)) or ())
    axis, right = _integer(pair, "axis", 1), _output_axis(node, rank)
    if axis % max(rank, 1) != right:
        yield f"the scales of its weight lie along axis {axis}; {word} needs them along {right}"


def _root(pair: onnx.NodeProto, model: OnnxModel) -> str:
    """Return the constant that a weight's pair stands on."""
    quantizer = model.maker(pair.input[0])
    return str(quantizer.input[0] if quantizer is not None else pair.input[0])


def _output_axis(node: onnx.NodeProto, rank: int) -> int:
    if node.op_type == "Gemm":
        return 0 if _integer(node, "transB", 0) else 1
    return rank - 1 if node.op_type == "MatMul" else 0


def _integer(node: onnx.NodeProto, name: str, default: int) -> int:
    return next((int(each.i) for each in node.attribute if each.name == name), default)
