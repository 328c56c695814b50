"""TB3xx: placements that make INT8 slower than it need be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.model.nodes import WEIGHTED, name_of
from trtbuild.model.view import GraphView, read_ints
from trtbuild.quant.placing.residual import find_residuals
from trtbuild.quant.rules.islands import find_islands
from trtbuild.quant.rules.subject import RuleHits, RuleSubject, WeightedReading

if TYPE_CHECKING:
    import onnx

__all__ = ["float_between", "float_skip", "mostly_fp32", "padded", "split_fusion", "unfolded_norm"]

ACTIVATIONS = frozenset({"BatchNormalization", "Clip", "HardSwish", "LeakyRelu", "PRelu", "Relu"})
FOLDS = frozenset({"Conv", "ConvTranspose", "Gemm"})
"""What a norm behind it becomes a part of."""
MULTIPLE = 4
"""Channels of an INT8 kernel come in fours; TensorRT-RTX pads what does not."""
WASTE = 0.1
"""The share of added multiply-accumulates that is worth a word."""
FP32_SHARE = 0.1
"""The share of multiply-accumulates in FP32 beside INT8 that is worth a word."""


def split_fusion(subject: RuleSubject) -> RuleHits:
    """No pair stands between a Conv and the normalization or activation that fuses with it."""
    view = subject.view
    for stream in subject.streams:
        maker = view.producer(stream.tensor)
        if maker is None or maker.op_type != "Conv" or stream.quantizer is None:
            continue
        for end in stream.dequantizers:
            for index, _ in view.readers.get(view.nodes[end.index].output[0], ()):
                if view.nodes[index].op_type in ACTIVATIONS:
                    yield name_of(maker), f"a pair parts it from {view.nodes[index].op_type}"


def unfolded_norm(subject: RuleSubject) -> RuleHits:
    """No BatchNormalization is left behind an INT8 Conv."""
    view = subject.view
    int8 = {layer.index for layer in subject.layers if layer.quantized}
    for node in view.nodes:
        if node.op_type != "BatchNormalization" or view.producers.get(node.input[0]) not in int8:
            continue
        told = "it follows an INT8 layer, and costs a step of its own"
        why = _reason_not_to_fold(view, node)
        if why:
            yield name_of(node), f"{told}; it cannot be folded: {why}", _CANNOT_FOLD
        elif subject.norms_folded:
            yield name_of(node), f"{told}; `fold_batchnorm` left it", _LEFT
        else:
            yield name_of(node), told


_LEFT = (
    "the note of fix_graph says why; where weights are computed, put `{kind: fold_constants}` in "
    "front of it"
)
_CANNOT_FOLD = "give it a layer of its own when exporting, or turn the rule off with this reason"


def _reason_not_to_fold(view: GraphView, norm: onnx.NodeProto) -> str:
    """Say why the fix `fold_batchnorm` leaves a norm; empty where it folds it."""
    layer = view.producer(norm.input[0])
    if layer is None or layer.op_type not in FOLDS:
        return f"it follows a {layer.op_type}" if layer is not None else "it follows no layer"
    if norm.input[0] in view.outputs or not view.is_read(norm.input[0], times=1):
        return f"the output of `{name_of(layer)}` has other readers"
    if read_ints(norm, "training_mode") == (1,) or any(norm.output[1:]):
        return "it is in training mode"
    held = [view.held(name) for name in norm.input[1:5]]
    if None in held:
        return "its parameters are not constant"
    return "" if _spreads(norm, held[3]) else "its variance is not positive"


def _spreads(norm: onnx.NodeProto, variance: onnx.TensorProto | None) -> bool:
    from onnx import numpy_helper

    epsilon = next((each.f for each in norm.attribute if each.name == "epsilon"), 1e-5)
    values = numpy_helper.to_array(variance) if variance is not None else None
    return values is None or bool((values.astype("float64") + epsilon > 0).all())


def float_skip(subject: RuleSubject) -> RuleHits:
    """The skip input of an Add that fuses into an INT8 Conv is INT8."""
    int8 = {layer.index for layer in subject.layers if layer.quantized}
    for residual in find_residuals(subject.view):
        node = subject.view.nodes[residual.add]
        maker = subject.view.producer(node.input[residual.skip])
        quantized = maker is not None and maker.op_type == "DequantizeLinear"
        if residual.conv in int8 and not quantized:
            yield name_of(node), f"its skip input `{node.input[residual.skip]}` is carried in float"


def float_between(subject: RuleSubject) -> RuleHits:
    """No layer between INT8 layers is float unless the recipe says so."""
    view = subject.view
    chosen = {
        layer.name
        for layer in (subject.account.layers if subject.account else ())
        if "recipe" in layer.reason
    }
    found = find_islands(view, [layer.index for layer in subject.layers if layer.quantized])
    for index in found.breakers:
        node = view.nodes[index]
        if node.op_type in WEIGHTED and name_of(node) not in chosen:
            word = subject.word
            yield name_of(node), f"it is float between {word} layers: values change type twice"


def padded(subject: RuleSubject) -> RuleHits:
    """Channels of INT8 layers are multiples of four, or padding costs little."""
    layers = [layer for layer in subject.layers if layer.quantized]
    work = {layer.name: subject.macs.get(layer.name, 0) for layer in layers}
    added = {layer.name: work[layer.name] * (_padding(subject, layer) - 1) for layer in layers}
    total = sum(work.values())
    if total and sum(added.values()) > WASTE * total:
        share = sum(added.values()) / total
        for name in sorted(added, key=lambda each: (-added[each], each)):
            if added[name] > 0:
                yield name, f"padding channels to fours adds {share:.0%} of multiply-accumulates"


def _padding(subject: RuleSubject, layer: WeightedReading) -> float:
    """Return by how much a Conv grows when its channels are padded."""
    node = subject.view.nodes[layer.index]
    dims = subject.view.dims(node.input[1])
    grouped = (read_ints(node, "group") or (1,)) != (1,)
    if layer.op != "Conv" or grouped or not dims or None in dims[:2]:
        return 1.0
    grown = 1.0
    for size in dims[:2]:
        grown *= -(-int(size or 1) // MULTIPLE) * MULTIPLE / int(size or 1)
    return grown


def mostly_fp32(subject: RuleSubject) -> RuleHits:
    """What is not INT8 is half precision, where there is much of it."""
    int8 = {layer.name for layer in subject.layers if layer.quantized}
    total = sum(subject.macs.values())
    wide = [
        layer.name
        for layer in subject.layers
        if layer.name not in int8
        and subject.view.dtype(subject.view.nodes[layer.index].input[0]) == "float"
    ]
    share = sum(subject.macs.get(name, 0) for name in wide) / total if total else 0.0
    if not int8 or share <= FP32_SHARE:
        return
    told = f"{share:.0%} of all multiply-accumulates are FP32 beside {subject.word}"
    # Of weights alone, all that can be is quantized already.
    stored = any(layer.into is not None and layer.into.weights_only for layer in subject.layers)
    for name in wide:
        yield (
            (name, told, "say `high_precision: fp16` in `quantization`") if stored else (name, told)
        )
