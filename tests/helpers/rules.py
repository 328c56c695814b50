"""For each static rule a model that breaks it, and a neighbour of it that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx

from tests.helpers.models import model_of
from tests.helpers.qdq import layer, random
from trtbuild.core.records import RequestedLayer
from trtbuild.core.values import Range
from trtbuild.quant.account import QuantizationAccount, TensorAccount
from trtbuild.quant.rules.build_target import BuildTarget
from trtbuild.quant.rules.subject import RuleSubject

if TYPE_CHECKING:
    from collections.abc import Callable

RTX = BuildTarget(kind="tensorrt_rtx", compute_capabilities=("8.6", "8.9"))
TRT11 = BuildTarget(kind="tensorrt11")

CONSTANTS = """
    float s = {0.05}, float s2 = {0.1}, float far = {5.0}, float[1] s1 = {0.05},
    int8 z = {0}, int8[1] z1 = {0}
"""
"""Scales and zero points to choose from."""


def graph(
    body: str,
    inputs: str = "float[1,8,8,8] x",
    outputs: str = "float[1,8,8,8] y",
    *,
    opset: int = 17,
    ir: int = 8,
    more: str = "",
    **weights: tuple[int, ...],
) -> onnx.ModelProto:
    """Parse a model that may use CONSTANTS, and `w` and `v`: INT8 weights [8, 8, 1, 1] as float."""
    shapes = {"w": (8, 8, 1, 1), "v": (8, 8, 1, 1)} | weights
    text = f"""<ir_version: {ir}, opset_import: ["" : {opset}]>
        g ({inputs}) => ({outputs}) <{CONSTANTS} {more}> {{ {body} }}"""
    return model_of(text, {name: random(*shape) for name, shape in shapes.items()})


def qdq(tensor: str, scale: str = "s", zero: str = "z", other: str = "") -> str:
    """Write a pair `<tensor>_q`, `<tensor>_dq`; `other` is the second one's scale."""
    return f"""
        [{tensor}_q] {tensor}_q = QuantizeLinear({tensor}, {scale}, {zero})
        [{tensor}_dq] {tensor}_dq = DequantizeLinear({tensor}_q, {other or scale}, {zero})"""


def conv(name: str, source: str, result: str, weight: str = "w") -> str:
    """Write a Conv, INT8 if `source` and `weight` are dequantized."""
    return f"[{name}] {result} = Conv({source}, {weight})"


W, V, X = qdq("w"), qdq("v"), qdq("x")
ONE = f"{X} {W} {conv('one', 'x_dq', 'y', 'w_dq')}"


def two(between: str, *, tail: str = "") -> str:
    """Write two INT8 layers and what stands between them: it makes `b` of `a`."""
    return f"""{X} {W} {V} {conv("one", "x_dq", "a", "w_dq")} {between} {qdq("b")}
        {conv("two", "b_dq", "y" if not tail else "c", "v_dq")} {tail}"""


def account(*layers: tuple[str, str, str], tensors: tuple[str, ...] = ()) -> QuantizationAccount:
    """An account of Convs: (name, precision, reason)."""
    return QuantizationAccount(
        opset=17,
        layers=tuple(
            RequestedLayer(name=name, op="Conv", precision=precision, reason=reason)
            for name, precision, reason in layers
        ),
        tensors=tuple(
            TensorAccount(name=name, limit=1.0, scale=1 / 127, readers=("one",)) for name in tensors
        ),
        weights=(),
    )


def with_ranges(**ranges: Range) -> RuleSubject:
    """A model of one layer that reads `x`, with ranges."""
    found = account(("one", "int8", ""), tensors=("x",))
    return RuleSubject(model=graph(ONE), account=found, ranges=ranges)


def seen(limit: float) -> Range:
    """A calibrated range of 1 where `limit` was seen."""
    return Range(low=-1.0, high=1.0, origin="calibrated", observed=(-limit, 0.5))


def by_hand(limit: float, seen: float, **cut: float) -> Range:
    """A range by hand where calibration saw another limit."""
    return Range(low=-limit, high=limit, origin="manual", observed=(-seen, 0.5), **cut)


def of(body: str, build_target: BuildTarget = RTX, **more: object) -> Callable[[], RuleSubject]:
    return lambda: RuleSubject(model=graph(body, **more), build_target=build_target)


def on(build_target: BuildTarget = RTX, **more: object) -> Callable[[], RuleSubject]:
    return lambda: RuleSubject(model=layer(**more), build_target=build_target)


def inside(body: str) -> Callable[[], RuleSubject]:
    """A layer, and an If behind it whose one body makes `b` of `a`."""
    return of(
        f"""{ONE.replace("y = Conv", "a = Conv")}
        [either] y = If(c) <
            then_branch = t () => (float[1,8,8,8] b) {{ {body} }},
            else_branch = e () => (float[1,8,8,8] f) {{ f = Identity(a) }}>""",
        inputs="float[1,8,8,8] x, bool c",
    )


NORM = "[norm] n = BatchNormalization(a, c8, c8, c8, c8)  b = Relu(n)"
ONES = ", float[8] c8 = {1, 1, 1, 1, 1, 1, 1, 1}"


def residual(skip: str) -> str:
    return two("b = Relu(a)", tail=f"[join] y = Add(c, {skip})")


def linear(text: str, **constants: np.ndarray) -> onnx.ModelProto:
    """Parse a model of opset 19 and give it constants; it need not be one that ONNX would take."""
    model = onnx.parser.parse_model(f"""<ir_version: 9, opset_import: ["" : 19]>
        g (float[1,8,8,8] x) => (float[1,8,8,8] y) <{CONSTANTS}> {{ {text} }}""")
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(values, name) for name, values in constants.items()
    )
    return model


def written(model: onnx.ModelProto, *, opset: int = 17, ir: int = 8) -> onnx.ModelProto:
    """Claim another version for a model."""
    model.opset_import[0].version = opset
    model.ir_version = ir
    return model


def fp8(*capabilities: str) -> RuleSubject:
    """A model whose activation is of FP8."""
    body = """[x_q] x_q = QuantizeLinear(x, s, f8) [x_dq] x_dq = DequantizeLinear(x_q, s, f8)
        [one] y = Conv(x_dq, w)"""
    model = linear(body, w=random(8, 8, 1, 1))
    zero = onnx.helper.make_tensor("f8", onnx.TensorProto.FLOAT8E4M3FN, [], [0.0])
    model.graph.initializer.append(zero)
    return RuleSubject(
        model=model,
        build_target=BuildTarget(kind="tensorrt_rtx", compute_capabilities=capabilities),
    )


def zero_points(zero: int, kind: str = "uint8") -> Callable[[], RuleSubject]:
    """A model of one layer whose activation has this zero point."""
    body = ONE.replace("(x, s, z)", "(x, s, u)").replace("(x_q, s, z)", "(x_q, s, u)")
    return of(body, more=f", {kind} u = {{{zero}}}")


def scales(value: float) -> Callable[[], RuleSubject]:
    """A model of one layer whose activation has this scale."""
    return on(x_scale=np.float32(value))


def stored(scale: str) -> Callable[[], RuleSubject]:
    """A model whose weight is dequantized by a scale of some type."""
    body = f"[w_dq] w_dq = DequantizeLinear(wi, {scale}) [one] y = Conv(x, w_dq)"
    weight = np.ones((8, 8, 1, 1), np.int8)
    half = np.float16(0.5)
    return lambda: RuleSubject(model=linear(body, wi=weight, h=np.array(half)), build_target=TRT11)


def reading(body: str) -> Callable[[], RuleSubject]:
    """A model with an INT8 input."""
    return of(f"{body} [one] y = Conv(f, w)", inputs="int8[1,8,8,8] x8")


def attention(query: str) -> Callable[[], RuleSubject]:
    """A model with ONNX's Attention operator."""
    return of(
        f"{qdq('q')} [heads] y = Attention<q_num_heads=2, kv_num_heads=2>({query}, k, v3)",
        inputs="float[1,4,8] q, float[1,4,8] k, float[1,4,8] v3",
        outputs="float[1,4,8] y",
        opset=23,
        ir=10,
    )


def accounted(*layers: tuple[str, str, str]) -> Callable[[], RuleSubject]:
    """A model of one layer, and an account."""
    return lambda: RuleSubject(model=graph(ONE), account=account(*layers))


def packed(cut: str) -> Callable[[], RuleSubject]:
    """An INT8 layer that makes keys and values, which are cut apart as `cut` says."""
    return of(
        f"""{X} {W} [packed] a = MatMul(x_dq, w_dq)  k, v0 = Split<axis=2>(a)  {cut}
        {qdq("q")} {qdq("k")} {qdq("v1")} t = Transpose<perm=[0,1,3,2]>(k_dq)
        l = MatMul(q_dq, t)  p = Softmax(l)  {qdq("p")} y = MatMul(p_dq, v1_dq)""",
        inputs="float[1,8,8,8] x, float[1,8,4,8] q",
        outputs="float[1,8,4,8] y",
        w=(8, 8),
    )


def joined(scale: str) -> Callable[[], RuleSubject]:
    """A model that joins two quantized tensors, one of scale 0.05."""
    return of(
        f"""{X} {W} {conv("one", "x_dq", "a", "w_dq")} b = Relu(x) {qdq("b", scale)} {qdq("a")}
        [join] c = Concat<axis=0>(a_dq, b_dq)  y = Relu(c)"""
    )


def ending(last: str) -> Callable[[], RuleSubject]:
    """A model of one layer whose result is quantized, and what follows."""
    return of(f"{X} {W} {conv('one', 'x_dq', 'a', 'w_dq')} {qdq('a')} {last}")


WIDE = {"u": (8, 8, 1, 1)}
THREE_SCALES = np.full(3, 0.01, np.float32)
RANGE = Range(low=-1.0, high=1.0, origin="manual", entry="y")

NMS, BOXES = "[best] y = NonMaxSuppression(x, p, most)", "float[1,9,4] x, float[1,2,9] p"
MOST = ", int64[1] most = {3}"

FIRES: dict[str, Callable[[], RuleSubject]] = {
    "TB101": zero_points(128),
    "TB102": zero_points(0),
    "TB103": of(
        f"{X} {W} [bias] b = DequantizeLinear(i, s) [one] y = Conv(x_dq, w_dq, b)",
        more=", int32[8] i = {1, 2, 3, 4, 5, 6, 7, 8}",
    ),
    "TB104": scales(1e-40),
    "TB105": of(f"[make] made = ReduceMax<keepdims=0>(x) {ONE.replace('(x, s,', '(x, made,')}"),
    "TB106": of(
        "[dynamic] d, e, f = DynamicQuantizeLinear(x) [one] y = Conv(x, w)",
    ),
    "TB107": on(w_scale=THREE_SCALES),
    "TB108": of(f"{qdq('x', other='s2')} {W} {conv('one', 'x_dq', 'y', 'w_dq')}"),
    "TB109": stored("h"),
    "TB110": lambda: RuleSubject(model=written(layer(), opset=12)),
    "TB111": lambda: RuleSubject(model=written(layer(), ir=11)),
    "TB112": reading("[cast] f = Cast<to=1>(x8)"),
    "TB113": attention("q_dq"),
    "TB114": of("[odd] y = Det(x)", RTX),
    "TB115": of(NMS, RTX, outputs="int64[n,3] y", inputs=BOXES, more=MOST),
    "TB116": of("[small] y = Resize<antialias=1>(x, , s1)", RTX, opset=18),
    "TB117": of("[half] h = Cast<to=5>(x) y = Cast<to=1>(h)", RTX),
    "TB118": of("[nms0] y = EfficientNMS_TRT<top=3>(x)", RTX),
    "TB119": of("[heads] y = Attention(x, x, x)", RTX, opset=23),
    "TB120": of("[nms0] y = EfficientNMS_TRT<top=3>(x)", BuildTarget()),
    "TB121": of("y = Relu(x)", outputs="float[1,8,8,8] y, float[1,8,8,8] x"),
    "TB201": accounted(("one", "fp32", "skipped by the recipe: `*`")),
    "TB202": accounted(("one", "int8", ""), ("two", "fp32", "there is no range for `b`")),
    "TB203": of(f"{W} {conv('one', 'x', 'y', 'w_dq')}"),
    "TB204": of(f"{qdq('x', 's1', 'z1')} {W} {conv('one', 'x_dq', 'y', 'w_dq')}"),
    "TB205": on(x_scale=np.full(8, 0.05, np.float32)),
    "TB206": on(axis=1),
    "TB207": on(op="ConvTranspose", axis=1),
    "TB208": on(BuildTarget(kind="tensorrt_rtx", compute_capabilities=("7.5", "8.9"))),
    "TB209": lambda: fp8("8.6", "8.9"),
    "TB210": inside(f"{qdq('a')} b = Identity(a_dq)"),
    "TB211": packed("v1 = Identity(v0)"),
    "TB301": of(two(f"{qdq('a')} b = Relu(a_dq)")),
    "TB302": of(two(NORM), more=ONES),
    "TB303": of(two("b = Relu(a)", tail="[join] y = Add(c, x)")),
    "TB304": of(two("[middle] f = Conv(a, u)  b = Relu(f)"), **WIDE),
    "TB305": on(x="1, 5, 8, 8", w=(6, 5, 3, 3)),
    "TB306": of(two("[middle] b = Conv(a, u)"), **WIDE),
    "TB401": of(
        f"""{X} {W} {conv("one", "x_dq", "a", "w_dq")}
        [y_q] q = QuantizeLinear(a, s, z) [y_dq] y = DequantizeLinear(q, s, z)"""
    ),
    "TB402": ending("[decode] y = Sigmoid(a_dq)"),
    "TB403": joined("far"),
    "TB404": lambda: with_ranges(x=seen(9.0)),
    "TB405": lambda: with_ranges(x=seen(1.0), y=RANGE),
    "TB406": of(ONE, BuildTarget(kind="tensorrt11", unlike_preprocessing="scale 1.0 and 255.0")),
    "TB407": lambda: with_ranges(x=by_hand(1.0, 8.0, clipped=0.25, clipped_db=12.5)),
    "TB408": of(f"[noise] r = RandomNormalLike(x) {ONE}"),
    "TB501": of(ONE, BuildTarget(kind="tensorrt11", small_workspace_bytes=2**20)),
}
"""Code → a model that breaks the rule."""
HOLDS: dict[str, Callable[[], RuleSubject]] = {
    "TB101": zero_points(0, "int8"),
    "TB102": zero_points(0, "int8"),
    "TB103": of(
        f"{X} {W} [one] y = Conv(x_dq, w_dq, b)", more=", float[8] b = {1, 2, 3, 4, 5, 6, 7, 8}"
    ),
    "TB104": scales(1e-30),
    "TB105": of(f"[make] made = Identity(s) {ONE.replace('(x, s,', '(x, made,')}"),
    "TB106": of("[cast] d = Cast<to=3>(x) [one] y = Conv(x, w)"),
    "TB107": on(),
    "TB108": of(ONE),
    "TB109": stored("s"),
    "TB110": lambda: RuleSubject(model=written(layer(), opset=13)),
    "TB111": lambda: RuleSubject(model=written(layer(), ir=10)),
    "TB112": reading("[x8_dq] f = DequantizeLinear(x8, s, z)"),
    "TB113": attention("q"),
    "TB114": of("[odd] y = Erf(x)", RTX),
    "TB115": of(NMS, TRT11, outputs="int64[n,3] y", inputs=BOXES, more=MOST),
    "TB116": of("[small] y = Resize(x, , s1)", RTX, opset=18),
    "TB117": of("[half] h = Cast<to=11>(x) y = Cast<to=1>(h)", RTX),
    "TB118": of("[nms0] y = EfficientNMS_TRT<top=3>(x)", TRT11),
    "TB119": of("[heads] y = Attention(x, x, x)", TRT11, opset=23),
    "TB120": of("[nms0] y = EfficientNMS_TRT<top=3>(x)", RTX),
    "TB121": of("y = Relu(x) v1 = Identity(x)", outputs="float[1,8,8,8] y, float[1,8,8,8] v1"),
    "TB201": accounted(("one", "int8", ""), ("two", "fp32", "skipped by the recipe: `*`")),
    "TB202": accounted(("one", "int8", ""), ("two", "fp32", "its input is constant")),
    "TB203": of(ONE),
    "TB204": of(ONE),
    "TB205": on(),
    "TB206": on(axis=0),
    "TB207": on(TRT11, op="ConvTranspose", axis=1),
    "TB208": of(conv("one", "x", "y"), BuildTarget(compute_capabilities=("7.5",))),
    "TB209": lambda: fp8("8.9"),
    "TB210": inside("b = Neg(a)"),
    "TB211": packed("v1 = Relu(v0)"),
    "TB301": of(two("b = Relu(a)")),
    "TB302": of(two("b = Relu(a)")),
    "TB303": of(two("b = Relu(a)", tail="[join] y = Add(c, x_dq)")),
    "TB304": of(f"{X} {W} {conv('one', 'x_dq', 'a', 'w_dq')} [last] y = Conv(a, u)", **WIDE),
    "TB305": on(),
    "TB306": of(two("b = Relu(a)")),
    "TB401": of(ONE),
    "TB402": ending(f"c = Sigmoid(a_dq) {qdq('c')} {V} y = Conv(c_dq, v_dq)"),
    "TB403": joined("s2"),
    "TB404": lambda: with_ranges(x=seen(8.0)),
    "TB405": lambda: with_ranges(x=RANGE),
    "TB406": of(ONE, TRT11),
    "TB407": lambda: with_ranges(x=by_hand(1.0, 8.0, clipped=0.001, clipped_db=40.0)),
    "TB408": of(ONE),
    "TB501": of(ONE, TRT11),
}
"""Code → a neighbour of that model that keeps the rule."""
