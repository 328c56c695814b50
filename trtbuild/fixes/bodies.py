"""What operators are made of: bodies that ONNX defines, and those written down here.

The operators of ONNX Runtime's own domain come of its optimizer (`onnxruntime.transformers`), which
TensorRT's parser takes for plugins: https://github.com/microsoft/onnxruntime/issues/10905.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.core.frozen import frozen

if TYPE_CHECKING:
    import onnx

__all__ = ["OWN_BODIES", "CalledNode", "find_body"]

DOMAIN = "trtbuild.decompose"
MICROSOFT = "com.microsoft"
Text = Callable[["CalledNode"], str]


@frozen
class CalledNode:
    """A node, by what a body has to know of it."""

    node: onnx.NodeProto
    opset: int
    types: Sequence[bytes]
    """The types of its inputs, serialized; empty where they are not known."""

    def attribute(self, name: str, default: Any) -> Any:
        """Return an attribute's value."""
        import onnx

        for each in self.node.attribute:
            if each.name == name:
                value = onnx.helper.get_attribute_value(each)
                return value.decode() if isinstance(value, bytes) else value
        return default

    def has(self, slot: int) -> bool:
        """Tell whether an optional input is there."""
        return slot < len(self.node.input) and bool(self.node.input[slot])


def find_body(called: CalledNode, name: str) -> onnx.FunctionProto | None:
    """Return what a node is made of, as a function of the given name; None where nobody knows."""
    node = called.node
    own = OWN_BODIES.get((node.domain, node.op_type))
    text = own(called) if own else ""
    body = _parse(called, text) if text else _ask_onnx(called)
    if body is None or not all(_is_known(each, called.opset) for each in body.node):
        return None
    body.domain, body.name = DOMAIN, name
    del body.opset_import[:]
    body.opset_import.add(domain="", version=called.opset)
    return body


def _is_known(node: onnx.NodeProto, opset: int) -> bool:
    """Tell whether a model's opset has an operator: CastLike came with 15."""
    import onnx

    return bool(onnx.defs.has(node.op_type, opset, node.domain))


def _ask_onnx(called: CalledNode) -> onnx.FunctionProto | None:
    import onnx

    node = called.node
    if node.domain not in {"", "ai.onnx"} or not onnx.defs.has(node.op_type, called.opset, ""):
        return None
    schema = onnx.defs.get_schema(node.op_type, called.opset, "")
    if known := list(schema.function_opset_versions):
        version = _nearest(known, called.opset)
        return onnx.FunctionProto.FromString(schema.get_function_with_opset_version(version))
    if known := list(schema.context_dependent_function_opset_versions):
        made = schema.get_context_dependent_function_with_opset_version(
            _nearest(known, called.opset), node.SerializeToString(), list(called.types)
        )
        return onnx.FunctionProto.FromString(made) if made else None
    return None


def _nearest(known: Sequence[int], opset: int) -> int:
    """Return the last version up to an opset; bodies may be written down for later ones alone."""
    return max((each for each in known if each <= opset), default=min(known))


def _parse(called: CalledNode, text: str) -> onnx.FunctionProto:
    import onnx.parser

    inputs = ", ".join(f"i{slot}" for slot in range(len(called.node.input)))
    outputs = ", ".join(f"o{slot}" for slot in range(len(called.node.output)))
    head = f'<domain: "{DOMAIN}", opset_import: ["" : {called.opset}]> body ({inputs})'
    return onnx.parser.parse_function(f"{head} => ({outputs}) {{ {text} }}")


def _number(name: str, value: float, like: str = "i0") -> str:
    """Write a constant of the type of another tensor."""
    made = f"{name}_f = Constant<value_float = {float(value)!r}>()"
    return f"{made} {name} = CastLike({name}_f, {like}) "


def _gelu(source: str) -> str:
    return (
        _number("half", 0.5)
        + _number("one", 1)
        + _number("root", 2**-0.5)
        + f"scaled = Mul({source}, root) e = Erf(scaled) s = Add(e, one) "
        f"h = Mul({source}, half) o0 = Mul(h, s)"
    )


def _fast_gelu(called: CalledNode) -> str:
    source = "z" if called.has(1) else "i0"
    start = "z = Add(i0, i1) " if called.has(1) else ""
    numbers = "".join(
        _number(name, value)
        for name, value in (("half", 0.5), ("one", 1), ("a", 0.7978845608), ("b", 0.0356774081))
    )
    return (
        f"{start}{numbers} x2 = Mul({source}, {source}) bx = Mul(x2, b) ab = Add(bx, a) "
        f"t0 = Mul({source}, ab) t = Tanh(t0) s = Add(t, one) h = Mul({source}, half) "
        "o0 = Mul(h, s)"
    )


def _quick_gelu(called: CalledNode) -> str:
    alpha = _number("alpha", called.attribute("alpha", 1.702))
    return f"{alpha} s0 = Mul(i0, alpha) s = Sigmoid(s0) o0 = Mul(i0, s)"


def _transpose(called: CalledNode, slot: int, name: str) -> str:
    """Swap the last two axes, whose number the type of the operand tells."""
    import onnx

    shape = onnx.TypeProto.FromString(called.types[slot]).tensor_type.shape
    axes = list(range(len(shape.dim)))
    axes[-2:] = axes[:-3:-1]
    return f"{name} = Transpose<perm = {axes}>(i{slot}) "


def _fused_matmul(called: CalledNode) -> str:
    if called.attribute("transBatchA", 0) or called.attribute("transBatchB", 0):
        return ""
    text, operands = "", ["i0", "i1"]
    for slot, name in enumerate(("transA", "transB")):
        if called.attribute(name, 0):
            operands[slot] = f"t{slot}"
            text += _transpose(called, slot, f"t{slot}")
    product = f"p = MatMul({operands[0]}, {operands[1]}) "
    return f"{text}{product}{_number('alpha', called.attribute('alpha', 1.0))} o0 = Mul(p, alpha)"


def _activated(called: CalledNode, source: str) -> str:
    """Write the activation that is fused behind a convolution or product; empty where unknown."""
    params = called.attribute("activation_params", [])
    kind = called.attribute("activation", "")
    plain = {"Relu", "Tanh", "Sigmoid", "HardSigmoid", "LeakyRelu"}
    if kind == "Clip" and len(params) == 2:  # noqa: PLR2004  # both ends
        ends = _number("low", params[0]) + _number("high", params[1])
        return f"{ends} o0 = Clip({source}, low, high)"
    if kind not in plain:
        return "" if kind else f"o0 = Identity({source})"
    names = dict(zip({"LeakyRelu": ["alpha"]}.get(kind, ["alpha", "beta"]), params, strict=False))
    told = ", ".join(f"{name} = {float(value)!r}" for name, value in names.items())
    return f"o0 = {kind}{f'<{told}>' if told else ''}({source})"


def _attributes(called: CalledNode, names: Sequence[str]) -> str:
    told = []
    for name in names:
        value = called.attribute(name, None)
        if value is not None:
            text = f'"{value}"' if isinstance(value, str) else repr(value)
            told.append(f"{name} = {list(value) if isinstance(value, list) else text}")
    return f"<{', '.join(told)}>" if told else ""


_CONV = ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")


def _fused_conv(called: CalledNode) -> str:
    bias = ", i2" if called.has(2) else ""
    text = f"c = Conv{_attributes(called, _CONV)}(i0, i1{bias}) "
    added = called.has(3)
    end = _activated(called, "z" if added else "c")
    return text + ("z = Add(c, i3) " if added else "") + end if end else ""


def _fused_gemm(called: CalledNode) -> str:
    third = ", i2" if called.has(2) else ""
    names = ("alpha", "beta", "transA", "transB")
    end = _activated(called, "c")
    return f"c = Gemm{_attributes(called, names)}(i0, i1{third}) {end}" if end else ""


def _skip_norm(called: CalledNode) -> str:
    """Normalize input + skip (+ bias); the sum may be asked for as the fourth output."""
    beta, bias = called.has(3), called.has(4)
    sums = "s = Add(i0, i1) " if not bias else "s0 = Add(i0, i1) s = Add(s0, i4) "
    made = list(called.node.output)
    if any(made[1:3]):  # mean and deviation
        return ""
    told = f"axis = -1, epsilon = {float(called.attribute('epsilon', 1e-12))!r}"
    norm = f"o0 = LayerNormalization<{told}>(s, i2{', i3' if beta else ''}) "
    rest = "".join(
        f"o{slot} = Identity(s) " if slot == 3 else f"o{slot} = Identity(i2) "  # noqa: PLR2004
        for slot in range(1, len(made))
    )
    return sums + norm + rest


def _root_mean_square(source: str, scale: str, epsilon: float) -> str:
    return (
        f"{_number('eps', epsilon)} axes = Constant<value_ints = [-1]>() sq = Mul({source}, "
        f"{source}) ms = ReduceMean<keepdims = 1>(sq, axes) me = Add(ms, eps) rt = Sqrt(me) "
        f"dv = Div({source}, rt) o0 = Mul(dv, {scale}) "
    )


def _simplified_norm(called: CalledNode) -> str:
    last = called.attribute("axis", -1) == -1 and len(called.node.output) == 1
    epsilon = called.attribute("epsilon", 1e-5)
    return _root_mean_square("i0", "i1", epsilon) if last and called.opset >= _AXES else ""


def _skip_simplified_norm(called: CalledNode) -> str:
    made = list(called.node.output)
    if any(made[1:3]) or called.opset < _AXES:
        return ""
    sums = "s = Add(i0, i1) " if not called.has(3) else "s0 = Add(i0, i1) s = Add(s0, i3) "
    rest = "".join(
        f"o{slot} = Identity(s) " if slot == 3 else f"o{slot} = Identity(i2) "  # noqa: PLR2004
        for slot in range(1, len(made))
    )
    return sums + _root_mean_square("s", "i2", called.attribute("epsilon", 1e-12)) + rest


_AXES = 18
"""The opset since which a mean reads its axes as an input."""


def _pair(name: str, scale: int, zero: int, axis: str = "") -> str:
    return f"d{name} = DequantizeLinear{axis}(i{name}, i{scale}, i{zero}) "


def _qlinear_matmul(called: CalledNode) -> str:  # noqa: ARG001  # all its inputs are there
    return _pair("0", 1, 2) + _pair("3", 4, 5) + "p = MatMul(d0, d3) o0 = QuantizeLinear(p, i6, i7)"


def _qlinear_conv(called: CalledNode) -> str:
    text = _pair("0", 1, 2) + _pair("3", 4, 5, "<axis = 0>")
    bias = ""
    if called.has(8):
        text += "b0 = Cast<to = 1>(i8) bs = Mul(i1, i4) b = Mul(b0, bs) "
        bias = ", b"
    conv = f"c = Conv{_attributes(called, _CONV)}(d0, d3{bias}) "
    return text + conv + "o0 = QuantizeLinear(c, i6, i7)"


OWN_BODIES: Mapping[tuple[str, str], Text] = {
    ("", "QLinearConv"): _qlinear_conv,
    ("", "QLinearMatMul"): _qlinear_matmul,
    ("", "SimplifiedLayerNormalization"): _simplified_norm,
    (MICROSOFT, "BiasGelu"): lambda called: "z = Add(i0, i1) " + _gelu("z"),  # noqa: ARG005
    (MICROSOFT, "FastGelu"): _fast_gelu,
    (MICROSOFT, "FusedConv"): _fused_conv,
    (MICROSOFT, "FusedGemm"): _fused_gemm,
    (MICROSOFT, "FusedMatMul"): _fused_matmul,
    (MICROSOFT, "Gelu"): lambda called: _gelu("i0"),  # noqa: ARG005
    (MICROSOFT, "QuickGelu"): _quick_gelu,
    (MICROSOFT, "SimplifiedLayerNormalization"): _simplified_norm,
    (MICROSOFT, "SkipLayerNormalization"): _skip_norm,
    (MICROSOFT, "SkipSimplifiedLayerNormalization"): _skip_simplified_norm,
}
"""By domain and operator; a body is empty for the forms that are not written down."""
