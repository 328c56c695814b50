"""TB1xx: what TensorRT refuses, crashes on, or takes for something else."""

from __future__ import annotations

from trtbuild.model.nodes import name_of
from trtbuild.model.opset import MOST_IR
from trtbuild.quant.adopting.repairs import FOREIGN, is_positive
from trtbuild.quant.quantized_graph import REFUSED, LinearNode
from trtbuild.quant.rules.subject import INTEGERS, RuleHits, RuleSubject

__all__ = [
    "computed_scale",
    "foreign_format",
    "integer_io",
    "integer_type",
    "ir_version",
    "mixed_types",
    "opset_too_old",
    "pair_mismatch",
    "quantized_attention",
    "returned_input",
    "scale_count",
    "unsigned",
    "unusable_scale",
    "zero_point",
]

PER_CHANNEL = 13
SINCE = {"float8e4m3fn": 19, "float8e5m2": 19, "int4": 21, "float4e2m1": 23}
"""The opset that brought a quantized type."""
CLOSE = 1e-6


def zero_point(subject: RuleSubject) -> RuleHits:
    """Zero points are 0."""
    for linear in subject.linears.values():
        if linear.dtype in INTEGERS and not linear.symmetric:
            yield linear.name, "its zero point is not 0, and TensorRT refuses any other"


def unsigned(subject: RuleSubject) -> RuleHits:
    """Integers are signed: uint8 with a zero point of 0 (or none) is read as int8."""
    for linear in subject.linears.values():
        if linear.dtype == "uint8" and linear.symmetric:
            yield (
                linear.name,
                "it is of uint8, which TensorRT takes for int8: 128 to 255 are cut off",
            )


def integer_type(subject: RuleSubject) -> RuleHits:
    """Integers are int8, or another type that TensorRT knows; a bias is no INT32."""
    known = INTEGERS | FOREIGN | {"unknown"}
    for linear in subject.linears.values():
        if linear.dtype == "int32":
            yield linear.name, "it dequantizes INT32 (a quantized bias), which TensorRT refuses"
        elif linear.dtype not in known:
            yield linear.name, f"it is of {linear.dtype}, which TensorRT does not know"


def unusable_scale(subject: RuleSubject) -> RuleHits:
    """Scales are above 0, neither denormal nor infinite."""
    for linear in subject.linears.values():
        scale = linear.scale.astype("float64")
        if not (scale > 0).all():
            yield linear.name, "a scale is not above 0, and TensorRT refuses it"
        elif not is_positive(scale):
            yield linear.name, "a scale is denormal or infinite; TensorRT takes it without a word"


def computed_scale(subject: RuleSubject) -> RuleHits:
    """Scales and zero points are constants."""
    for index in subject.computed:
        yield subject.node_name(index), "its scale is computed while the model runs; that crashes"


def foreign_format(subject: RuleSubject) -> RuleHits:
    """Quantization is QuantizeLinear and DequantizeLinear around float operators."""
    for node in subject.view.nodes:
        if node.op_type.startswith("QLinear"):
            yield (
                name_of(node),
                f"{node.op_type} is ONNX's QOperator format, which cannot be imported",
            )
        elif node.op_type in REFUSED:
            yield name_of(node), f"{node.op_type} quantizes dynamically, which cannot be imported"


def scale_count(subject: RuleSubject) -> RuleHits:
    """A list of scales has one for each index along its axis."""
    for linear in subject.linears.values():
        dims = subject.view.dims(subject.view.nodes[linear.index].input[0])
        if linear.scale.ndim != 1 or linear.scale.size == 1 or dims is None:
            continue
        if not -len(dims) <= linear.axis < len(dims):
            yield linear.name, f"its scales lie along axis {linear.axis}, which there is not"
        elif dims[linear.axis] not in {None, linear.scale.size}:
            size = dims[linear.axis]
            yield linear.name, f"it has {linear.scale.size} scales for an axis of {size}"


def pair_mismatch(subject: RuleSubject) -> RuleHits:
    """What one scale made, the same scale undoes."""
    pairs = [
        (stream.quantizer, end)
        for stream in subject.streams
        for end in stream.dequantizers
        if stream.quantizer is not None
    ]
    pairs += [
        (each.quantizer, each.dequantizer) for each in subject.stored.values() if each.quantizer
    ]
    for quantizer, dequantizer in pairs:
        if quantizer is not None and not _same(quantizer, dequantizer):
            yield (
                dequantizer.name,
                f"its scale is not that of `{quantizer.name}`, whose values it reads",
            )


def _same(one: LinearNode, other: LinearNode) -> bool:
    if one.scale.size != other.scale.size:
        return False
    import numpy as np

    first, second = one.scale.astype("float64").ravel(), other.scale.astype("float64").ravel()
    # Of an infinity or NaN another rule speaks.
    return bool(np.isclose(second, first, rtol=CLOSE, atol=0, equal_nan=True).all())


def mixed_types(subject: RuleSubject) -> RuleHits:
    """A layer's operands are of one type; half-precision scales make half-precision values."""
    for layer in subject.layers:
        names = subject.view.nodes[layer.index].input[:2]
        types = [subject.view.dtype(name) for name in names]
        if None not in types and len(set(types)) > 1:
            yield layer.name, f"it reads {types[0]} and {types[1]}, and TensorRT wants one type"


def opset_too_old(subject: RuleSubject) -> RuleHits:
    """The opset knows what the Q/DQ nodes say."""
    for linear in subject.linears.values():
        since = SINCE.get(linear.dtype, PER_CHANNEL if linear.scale.size > 1 else 0)
        if 0 < subject.view.opset < since:
            what = linear.dtype if linear.dtype in SINCE else "a scale for each channel"
            yield linear.name, f"{what} needs opset {since}, and the model has {subject.view.opset}"


def ir_version(subject: RuleSubject) -> RuleHits:
    """The file's IR version is one that every reader understands."""
    if subject.model.ir_version > MOST_IR:
        yield "", f"the file has IR version {subject.model.ir_version}; older readers refuse it"


def integer_io(subject: RuleSubject) -> RuleHits:
    """INT8 at the model's own inputs and outputs has a scale: a Q or DQ node beside it."""
    view = subject.view
    for value in subject.model.graph.input:
        if view.dtype(value.name) == "int8" and not view.is_constant(value.name):
            for index, _ in view.readers.get(value.name, ()):
                if view.nodes[index].op_type != "DequantizeLinear":
                    yield (
                        subject.node_name(index),
                        f"it reads the INT8 input `{value.name}` as it is",
                    )
    for name in view.outputs:
        maker = view.producer(name)
        if view.dtype(name) == "int8" and maker and maker.op_type != "QuantizeLinear":
            yield name_of(maker), f"it makes the INT8 output `{name}`, which has no scale"


def quantized_attention(subject: RuleSubject) -> RuleHits:
    """ONNX's Attention operator reads floats: TensorRT-RTX has no kernel for another."""
    if not subject.build_target.rtx:
        return
    for node in subject.view.nodes:
        makers = (subject.view.producer(name) for name in node.input)
        if node.op_type == "Attention" and any(
            maker is not None and maker.op_type == "DequantizeLinear" for maker in makers
        ):
            yield (
                name_of(node),
                "it reads quantized values, and TensorRT-RTX has no kernel for that",
            )


def returned_input(subject: RuleSubject) -> RuleHits:
    """No output of the model is its own input, by the same name."""
    for name in subject.view.outputs:
        if name in subject.view.fed:
            told = (
                f"the output `{name}` is the model's own input: TensorRT's parser then calls the "
            )
            told += f"input `__{name}`, which no profile and nobody who feeds the engine knows"
            yield "", told
