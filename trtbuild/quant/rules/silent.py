"""TB2xx: INT8 that is asked for and would not be delivered, without a word from the builder."""

from __future__ import annotations

import json
from collections.abc import Iterator

from trtbuild.core.quantized_types import FP8, TYPES, find_type_of_onnx
from trtbuild.core.records import RequestedLayer
from trtbuild.core.words import join_few
from trtbuild.model.nodes import iterate_bodies, name_of
from trtbuild.quant.axes import find_operand_axis
from trtbuild.quant.placing.joined import explain_loss_of_layer
from trtbuild.quant.placing.policy import TRANSPOSED
from trtbuild.quant.quantized_graph import LINEAR, LinearNode
from trtbuild.quant.remarks import note_float_layers
from trtbuild.quant.rules.subject import INTEGERS, RuleHits, RuleSubject, WeightedReading
from trtbuild.quant.writing.cuts import find_loose_parts

__all__ = [
    "fp8_too_early",
    "half_quantized",
    "lacking_range",
    "listed_scale",
    "loose_cut",
    "nothing_quantized",
    "quantized_body",
    "scale_for_each_channel",
    "transposed_in_float",
    "turing",
    "wrong_axis",
]

FEW = 3
SHOWN = 10
"""Reasons that are told, one for many layers of a sort; the report has them all."""
TURING = "7.5"
EIGHT_BITS = frozenset({FP8.onnx_name, "float8e5m2"})


def nothing_quantized(subject: RuleSubject) -> RuleHits:
    """A recipe that asks for INT8 gets some."""
    if subject.account is not None and not subject.account.asked:
        reasons = list(note_float_layers(subject.account.layers)) or [_only(subject)]
        told = "; ".join(reasons[:SHOWN])
        more = f"; and {len(reasons) - SHOWN} more reasons" if len(reasons) > SHOWN else ""
        told = f"the recipe asks for INT8, and no layer of the model is: {told}{more}"
        insisting = [layer.name for layer in _find_insistable(subject)]
        yield ("", told, _insist(insisting)) if insisting else ("", told)


def _find_insistable(subject: RuleSubject) -> Iterator[RequestedLayer]:
    """Yield the layers that are float by trtbuild's own choice: a recipe may ask for them."""
    places = {layer.name: layer.index for layer in subject.layers}
    for layer in subject.account.layers if subject.account else ():
        if layer.op == "ConvTranspose" and layer.reason == TRANSPOSED:
            mended = not subject.build_target.rtx
        else:
            index = places.get(layer.name)
            lost = index is not None and explain_loss_of_layer(subject.view, index, subject.ranges)
            mended = bool(lost) and lost == layer.reason
        if mended:
            yield layer


def _insist(names: list[str]) -> str:
    asked = ", ".join(f"{json.dumps(name, ensure_ascii=False)}: int8" for name in names[:FEW])
    more = ", ..." if len(names) > FEW else ""
    return (
        f"to have them in INT8 all the same, write `precision: {{{asked}{more}}}` in "
        "`quantization`; else mend what the reasons name, or remove `quantization`"
    )


def _only(subject: RuleSubject) -> str:
    """Say what a model consists of that has no layer which could be INT8."""
    ops = sorted({node.op_type for node in subject.view.nodes})
    return f"it has none that could be, only {join_few(ops, SHOWN)}"


def lacking_range(subject: RuleSubject) -> RuleHits:
    """No layer is left float because a tensor that it reads has no range."""
    for layer in subject.account.layers if subject.account else ():
        if layer.precision not in TYPES and "range" in layer.reason:
            yield layer.name, f"it stays float: {layer.reason}"


def half_quantized(subject: RuleSubject) -> RuleHits:
    """A layer has both operands in INT8, or neither."""
    for layer in subject.layers:
        first, second = layer.operands
        if (first is None) == (second is None):
            continue
        found = first or second
        if found is not None and not layer.quantized and _is_known(found):
            words = _words(subject, layer)
            lost = words[0] if first is None else words[1]
            yield layer.name, f"its {lost} is not quantized while the other operand is"


def _is_known(linear: LinearNode) -> bool:
    return linear.dtype in INTEGERS or find_type_of_onnx(linear.dtype) is not None


def _words(subject: RuleSubject, layer: WeightedReading) -> tuple[str, str]:
    names = subject.view.nodes[layer.index].input[:2]
    stored = [
        subject.view.is_constant(name) or (each is not None and each.index in subject.stored)
        for name, each in zip(names, layer.operands, strict=True)
    ]
    if True not in stored:
        return "first operand", "second operand"
    return ("weight", "input") if stored[0] else ("input", "weight")


def _activations(subject: RuleSubject) -> Iterator[tuple[WeightedReading, LinearNode]]:
    for layer in subject.requested_layers:
        for linear in layer.operands:
            if linear is not None and linear.index not in subject.stored:
                yield layer, linear


def listed_scale(subject: RuleSubject) -> RuleHits:
    """An activation's scale is a scalar: behind shape [1], TensorRT-RTX computes in float."""
    if subject.build_target.rtx:
        for layer, linear in _activations(subject):
            if linear.scale.shape == (1,):
                yield (
                    layer.name,
                    "the scale of its input has shape [1]: TensorRT-RTX wants a scalar",
                )


def scale_for_each_channel(subject: RuleSubject) -> RuleHits:
    """An activation has one scale; only weights may have one for each channel."""
    for layer, linear in _activations(subject):
        if linear.scale.size > 1:
            yield layer.name, f"its input has {linear.scale.size} scales, and may have one"


def wrong_axis(subject: RuleSubject) -> RuleHits:
    """A weight's scales lie along its output channels."""
    for layer in subject.requested_layers:
        node = subject.view.nodes[layer.index]
        for slot, linear in enumerate(layer.operands):
            if linear is None or linear.index not in subject.stored or linear.scale.ndim != 1:
                continue
            direct = subject.view.nodes[linear.index].output[0] == node.input[slot]
            dims = subject.view.dims(node.input[slot])
            right = find_operand_axis(subject.view, node, slot)
            if direct and dims and right is not None and linear.axis % len(dims) != right:
                yield (
                    layer.name,
                    (
                        f"the scales of its weight lie along axis {linear.axis}, "
                        f"its output channels along {right}"
                    ),
                )


def quantized_body(subject: RuleSubject) -> RuleHits:
    """Nothing inside the bodies of If, Loop and Scan is quantized."""
    for node in subject.view.nodes:
        waiting = list(iterate_bodies(node))
        while waiting:
            for inner in waiting.pop().node:
                waiting += iterate_bodies(inner)
                if inner.op_type in LINEAR:
                    where = f"it lies inside the {node.op_type} `{name_of(node)}`"
                    yield name_of(inner), f"{where}: no other rule looks there, and no repair does"


def transposed_in_float(subject: RuleSubject) -> RuleHits:
    """ConvTranspose is not asked for in INT8 of TensorRT-RTX."""
    for layer in subject.requested_layers if subject.build_target.rtx else ():
        if layer.op == "ConvTranspose":
            yield layer.name, "TensorRT-RTX computes ConvTranspose in float, whatever is asked"


def loose_cut(subject: RuleSubject) -> RuleHits:
    """What is cut for an attention from the result of a MatMul or Gemm is held apart from it."""
    for layer in subject.requested_layers if subject.build_target.rtx else ():
        if find_loose_parts(subject.view, layer.index):
            yield (
                layer.name,
                "TensorRT-RTX draws the cuts behind it into its weight, and multiplies in float",
            )


def turing(subject: RuleSubject) -> RuleHits:
    """No INT8 is asked for with compute capability 7.5 in the list."""
    if TURING in subject.build_target.compute_capabilities:
        for layer in subject.requested_layers:
            yield layer.name, f"with {TURING} in compute_capabilities, every layer is float"


def fp8_too_early(subject: RuleSubject) -> RuleHits:
    """FP8 is for compute capability 8.9 and later."""
    early = [each for each in subject.build_target.compute_capabilities if not FP8.runs_on(each)]
    for linear in subject.linears.values() if early else ():
        if linear.dtype in EIGHT_BITS:
            yield linear.name, f"FP8 cannot be compiled for {', '.join(early)}"
