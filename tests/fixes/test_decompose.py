"""decompose: operators as what they are made of, with the same results."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
import pytest

from tests.helpers.models import model_of, outputs_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.decompose import LACKING, Decompose
from trtbuild.quant.rules.operator_lists import BY_KIND

HEADER = '<ir_version: 10, opset_import: ["" : OPSET, "com.microsoft" : 1]>\n'
W = {
    "w": np.linspace(-1, 1, 36, dtype=np.float32).reshape(6, 6),
    "g": np.linspace(0.5, 2, 6, dtype=np.float32),
    "b": np.linspace(-1, 1, 6, dtype=np.float32),
}
KERNEL = {"k": np.linspace(-1, 1, 4 * 4 * 9, dtype=np.float32).reshape(4, 4, 3, 3)}
BIAS = {"cb": np.array([1, -1, 0.5, 0], np.float32)}


def decompose(body, *, shape="N, 6", opset=18, weights=W, ops=(), out=None):
    text = f"g (float[{shape}] x) => (float[{out or shape}] y) {{ {body} }}"
    model = onnx.parser.parse_model(HEADER.replace("OPSET", str(opset)) + text)
    for name, values in weights.items():
        if name in body:
            model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    sizes = [2 if size == "N" else int(size) for size in shape.split(", ")]
    feed = {"x": np.random.default_rng(0).normal(size=sizes).astype(np.float32)}
    before = outputs_of(model, feed)["y"]
    fixed, accounts = apply_fixes(model, [Decompose(kind="decompose", ops=ops)])
    return before, outputs_of(fixed, feed)["y"], fixed, accounts.fixes[0]


FUSED = {
    "BiasGelu": "y = com.microsoft.BiasGelu(x, b)",
    "FastGelu": "y = com.microsoft.FastGelu(x)",
    "FastGelu with a bias": "y = com.microsoft.FastGelu(x, b)",
    "QuickGelu": "y = com.microsoft.QuickGelu<alpha = 1.5>(x)",
    "Gelu": "y = com.microsoft.Gelu(x)",
    "FusedMatMul": "y = com.microsoft.FusedMatMul<transB = 1, alpha = 0.5>(x, w)",
    "FusedGemm": 'y = com.microsoft.FusedGemm<activation = "Relu", transB = 1>(x, w, b)',
    "SkipSimplifiedLayerNormalization": (
        "y = com.microsoft.SkipSimplifiedLayerNormalization(x, x, g)"
    ),
}


@pytest.mark.parametrize("form", FUSED)
def test_what_an_optimizer_fused_comes_apart(form):
    """No operator of ONNX Runtime's own domain is left, and results stay."""
    shape = "1, N, 6" if "Layer" in form else "N, 6"
    before, after, fixed, account = decompose(FUSED[form], shape=shape)

    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)
    assert {""} == {node.domain for node in fixed.graph.node}
    assert 1 == len(account.changed)


def test_a_skip_norm_hands_on_its_sum():
    """Its fourth output is the sum that it normalizes."""
    norm = 'n, "", "", s = com.microsoft.SkipLayerNormalization<epsilon = 0.01>(x, x, g, b)'
    before, after, _, _ = decompose(f"{norm} y = Add(n, s)", shape="1, N, 6")

    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("tail", ["", "LeakyRelu:0.2", "Clip:0.0:6.0", "Relu"])
def test_a_fused_convolution_comes_apart(tail):
    """With its bias, activation, and what is added in front of that."""
    kind, *params = tail.split(":")
    told = f', activation = "{kind}"' if kind else ""
    told += f", activation_params = [{', '.join(params)}]" if params else ""
    body = f"y = com.microsoft.FusedConv<pads = [1, 1, 1, 1]{told}>(x, k, cb, x)"
    before, after, _, _ = decompose(body, shape="N, 4, 5, 5", weights=KERNEL | BIAS)

    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


NAMED = {
    "Mish": ("y = Mish(x)", 18),
    "HardSwish": ("y = HardSwish(x)", 14),
    "Celu": ("y = Celu<alpha = 2.0>(x)", 17),
    "ThresholdedRelu": ("y = ThresholdedRelu(x)", 17),
    "Softplus": ("y = Softplus(x)", 18),
    "Gelu": ('y = Gelu<approximate = "tanh">(x)', 20),
    "LayerNormalization": ("y = LayerNormalization(x, g, b)", 17),
    "RMSNormalization": ("y = RMSNormalization(x, g)", 23),
}


@pytest.mark.parametrize("op", NAMED)
def test_what_has_a_body_in_onnx_can_be_named(op):
    """An attribute that is left out has its default."""
    body, opset = NAMED[op]
    before, after, fixed, _ = decompose(body, opset=opset, ops=(op,))

    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)
    assert op not in {node.op_type for node in fixed.graph.node}


def test_a_body_that_holds_another_is_taken_apart_too():
    """HardSwish is made of a HardSigmoid."""
    _, _, fixed, account = decompose("y = HardSwish(x)", ops=("HardSwish", "HardSigmoid"))

    assert 2 == len(account.changed)
    assert not {"HardSwish", "HardSigmoid"} & {node.op_type for node in fixed.graph.node}


def test_group_norms_are_of_fixed_channels():
    """The form of opset 21, which TensorRT 10.7 refuses."""
    weights = {"g": np.array([1, 2, 3, 4], np.float32), "b": np.array([4, 3, 2, 1], np.float32)}
    before, after, fixed, _ = decompose(
        "y = GroupNormalization<num_groups = 2>(x, g, b)",
        shape="N, 4, 5, 5",
        opset=21,
        weights=weights,
        ops=("GroupNormalization",),
    )

    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)
    assert "GroupNormalization" not in {node.op_type for node in fixed.graph.node}


QLINEAR = """g (float[N, 4, 5, 5] x) => (float[N, 4, 5, 5] y)
    <float s = {0.05}, uint8 z = {128}, float t = {0.5}, float[4] ws = {0.01, 0.02, 0.01, 0.03},
     int8[4] wz = {0, 0, 0, 0}> {
    q = QuantizeLinear(x, s, z)
    c = QLinearConv<pads = [1, 1, 1, 1]>(q, s, z, kq, ws, wz, t, z, cb)
    y = DequantizeLinear(c, t, z) }"""


def test_integer_convolutions_become_pairs():
    """QLinearConv is Q/DQ around a float one, off by one step at most.

    Weights have 7 bits: on processors without VNNI, ONNX Runtime adds two products in 16 bits.
    """
    rng = np.random.default_rng(1)
    weights = {
        "kq": rng.integers(-63, 64, (4, 4, 3, 3), dtype=np.int8),
        "cb": np.array([100, -50, 0, 7], np.int32),
    }
    model = model_of(QLINEAR, weights)
    feed = {"x": rng.normal(size=(2, 4, 5, 5)).astype(np.float32)}
    before = outputs_of(model, feed)["y"]
    fixed, accounts = apply_fixes(model, [Decompose(kind="decompose")])

    np.testing.assert_allclose(outputs_of(fixed, feed)["y"], before, atol=0.501)
    assert "Conv" in {node.op_type for node in fixed.graph.node}
    assert "moved by" in accounts.fixes[0].remarks[-1]


def test_a_loss_that_was_left_in_the_model_becomes_plain_operators():
    """As in https://github.com/NVIDIA/TensorRT/issues/2924."""
    model = model_of(
        """g (float[N, 6] x, int64[N] t) => (float y) { y = SoftmaxCrossEntropyLoss(x, t) }"""
    )
    fixed, _ = apply_fixes(model, [Decompose(kind="decompose")])

    assert "LogSoftmax" in {node.op_type for node in fixed.graph.node}


def test_inside_branches_too():
    """Whatever graph a node lies in."""
    model = model_of(
        """g (float[N, 6] x, bool c) => (float[N, 6] y) {
        y = If (c) <then_branch = t () => (float[N, 6] p) { p = HardSwish(x) },
                    else_branch = e () => (float[N, 6] q) { q = Neg(x) }> }"""
    )
    fixed, _ = apply_fixes(model, [Decompose(kind="decompose", ops=("HardSwish",))])
    (branch,) = (a.g for a in fixed.graph.node[0].attribute if a.name == "then_branch")

    assert "HardSwish" not in {node.op_type for node in branch.node}


def test_what_has_no_body_is_refused_where_it_is_named():
    """And left, with the reason, where it is not."""
    model = model_of("g (float[N, 3, 3] x) => (float[N] y) { y = Det(x) }")

    with pytest.raises(StepInputError, match=r"what Det .* is made of is not known"):
        apply_fixes(model, [Decompose(kind="decompose", ops=("Det",))])


def test_what_a_tensorrt_lacks_and_has_a_body_is_in_the_list():
    """But for dynamic quantization and sequences, which their bodies bring in again."""
    lacking = {op for each in BY_KIND.values() for op in each.lacking}
    bodies = {
        each.name
        for each in onnx.defs.get_all_schemas()
        if each.has_function or each.has_context_dependent_function
    }

    assert set(LACKING) == (lacking & bodies) - {"DynamicQuantizeLinear", "SequenceMap"}
