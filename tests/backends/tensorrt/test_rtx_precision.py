"""Asked against delivered, on kernels written by hand."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from trtbuild.backends.model import OnnxModel
from trtbuild.backends.tensorrt.rtx_plan import Kernel
from trtbuild.backends.tensorrt.rtx_precision import report_delivered_by_rtx
from trtbuild.core.records import RequestedLayer

FLOAT = Kernel("corrltn", "k", ("fp32", "fp32"), ("layer",))


def read(kernels, *, name="layer", precision="int8", model=None):
    asked = [RequestedLayer(name=name, op="Conv", precision=precision)]
    [found] = report_delivered_by_rtx(
        asked, kernels, model=model or OnnxModel(layer()), built_for=("8.9",)
    )
    return found


def test_a_plan_that_cannot_be_read_leaves_every_layer_unknown():
    """No version but the one that was studied is trusted, and the report says so."""
    found = read(None)

    assert "unknown" == found.delivered
    assert "1.7.1.116" in found.cause


def test_a_layer_that_is_not_in_the_program_is_unknown():
    """Folded away or renamed: not claimed to be anything."""
    found = read([], name="elsewhere")

    assert "unknown" == found.delivered
    assert "folded away" in found.cause


def test_a_fallback_without_a_known_cause_says_so():
    """Everything in the model is right, and it is float all the same."""
    assert ("fp32", "not known") == (read([FLOAT]).delivered, read([FLOAT]).cause)


def test_float_asked_and_float_delivered_needs_no_cause():
    """Only INT8 that did not come is explained."""
    assert "" == read([FLOAT], precision="fp32").cause


def test_a_nameless_node_is_found_by_the_parsers_name():
    """The parser calls a node without a name after its output."""
    kernel = Kernel("corrltn", "k", ("int8", "int8"), ("node_of_y",))

    assert "int8" == read([kernel], name="y").delivered


def test_a_pair_reaches_through_what_passes_it_on():
    """MaxPool and Reshape keep INT8: a layer behind them is quantized."""
    model = model_of(
        """m (float[1, 8, 4, 4] x) => (float[1, 1, 2, 2] y)
        <float s = {0.1}, int8 z = {0}, float[1, 8, 1, 1] w = {1, 2, 3, 4, 5, 6, 7, 8}> {
            q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)
            p = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(d)
            [layer] y = Conv(p, w)
        }"""
    )

    assert "its weight `w` is not quantized" == read([FLOAT], model=OnnxModel(model)).cause


@pytest.mark.parametrize(
    ("transposed", "axis", "good"), [(1, 0, True), (0, 1, True), (0, 0, False)]
)
def test_the_right_axis_of_a_gemm_depends_on_its_layout(transposed, axis, good):
    """Scales belong on the output features: axis 0 of [N, K], axis 1 of [K, N]."""
    weight = (8, 16) if transposed else (16, 8)
    model = layer("Gemm", x="4, 16", w=weight, axis=axis, attributes=f"transB = {transposed}")

    assert good == (read([FLOAT], model=OnnxModel(model)).cause == "not known")


def built_for_three(*kernels):
    """Read a plan that was built for three GPUs."""
    [found] = report_delivered_by_rtx(
        [RequestedLayer(name="layer", op="Conv", precision="int8")],
        kernels,
        model=OnnxModel(layer()),
        built_for=("8.6", "8.9", "12.0"),
    )
    return found


def test_what_was_delivered_is_told_for_each_gpu():
    """By the program that lists it: one program serves all that it lists."""
    found = built_for_three(
        Kernel("corrltn", "k", ("int8", "int8"), ("layer",), ("8.6", "8.9", "12.0"))
    )

    assert dict.fromkeys(("8.6", "8.9", "12.0"), "int8") == found.by_capability


def test_a_layer_that_is_float_on_one_gpu_is_not_int8():
    """The engine promises what its weakest GPU does."""
    found = built_for_three(
        Kernel("corrltn", "k", ("int8", "int8"), ("layer",), ("8.6", "8.9")),
        Kernel("corrltn", "k", ("fp32", "fp32"), ("layer",), ("12.0",)),
    )

    assert {"8.6": "int8", "8.9": "int8", "12.0": "fp32"} == found.by_capability
    assert "fp32" == found.delivered


def test_of_a_gpu_without_a_program_nothing_is_claimed():
    """It is unknown, and so is the layer as a whole."""
    found = built_for_three(Kernel("corrltn", "k", ("int8", "int8"), ("layer",), ("8.6", "8.9")))

    assert ("unknown", "the plan has no program for 12.0") == (found.delivered, found.cause)
    assert "int8" == found.by_capability["8.9"]


TWO = """m (float[1, 2, 4, 4] x) => (float[1, 2, 2, 2] y, float[1, 2, 2, 2] z)
<float s = {0.1}, int8 n = {0}, float[2] s0 = {1, 2}, float[2] s1 = {3, 4}, int8[2] n2 = {0, 0}> {
    q = QuantizeLinear(x, s, n)  d = DequantizeLinear(q, s, n)
    v = DequantizeLinear<axis = 0>(w0, s0, n2)  [first] y = Conv(d, v)
    u = DequantizeLinear<axis = 0>(w1, s1, n2)  [second] z = Conv(d, u)
}"""
ALIKE = np.ones((2, 2, 3, 3), np.int8)
SUMS = Kernel("corrltn", "k", ("int8", "int8"), ("first",))


def two(folder, *kernels, other=ALIKE):
    """Return what is said of the second of two layers, where the first has sums of its own."""
    onnx.save(model_of(TWO, {"w0": ALIKE, "w1": other}), folder / "model.onnx")
    _, found = report_delivered_by_rtx(
        [
            RequestedLayer(name="first", op="Conv", precision="int8"),
            RequestedLayer(name="second", op="Conv", precision="int8"),
        ],
        [SUMS, *kernels],
        model=OnnxModel.read(folder / "model.onnx"),
        built_for=("8.9",),
    )
    return found.delivered, found.cause


BIAS = Kernel("function", "__myl_MulAdd", ("fp32", "fp32"), ("second",))
TOGETHER = ("int8", "it is computed once with `first`, which multiplies the same integers")


@pytest.mark.parametrize("kernels", [[], [BIAS]], ids=["nothing", "a bias"])
def test_a_layer_that_another_computes_with_is_int8_as_that_is(kernels, tmp_path):
    """What is left of it is nothing, or its scales and its bias, which are no layer in float."""
    assert TOGETHER == two(tmp_path, *kernels)


def test_a_layer_of_other_integers_is_not(tmp_path):
    """Where the first computes it, nobody knows what became of it."""
    assert "fp32" == two(tmp_path, BIAS, other=ALIKE * np.int8(2))[0]


@pytest.mark.parametrize(
    "kernel",
    [
        Kernel("corrltn", "k", ("fp32", "fp32"), ("second",)),
        Kernel("function", "__myl_CastMulSum", ("fp32", "int8"), ("second",)),
    ],
    ids=["convolution", "generated"],
)
def test_a_layer_with_sums_of_its_own_is_what_they_are(kernel, tmp_path):
    """In float, whatever its twin is."""
    assert "fp32" == two(tmp_path, kernel)[0]
