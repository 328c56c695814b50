"""TensorRT-RTX: real builds of tiny models; what the plan says was delivered."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import onnx
import pytest
from pydantic import ValidationError

from tests.helpers.models import model_of
from tests.helpers.qdq import layer, pair, random, zeros
from trtbuild.backends.base import BuildOrder
from trtbuild.backends.model import OnnxModel
from trtbuild.backends.tensorrt.plan_header import read_header
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.errors import MissingDependency, StepInputError

pytest.importorskip("tensorrt_rtx_bindings")

GEMM = {"x": "4, 16", "w": (8, 16)}
MATMUL = {"x": "4, 16", "w": (16, 8)}
ONE = np.full(1, 0.05, np.float32)

DELIVERED = {
    "conv": {},
    "1x1": {"w": (8, 8, 1, 1)},
    "depthwise": {"w": (8, 1, 3, 3), "attributes": "group = 8"},
    "grouped": {"w": (8, 4, 3, 3), "attributes": "group = 2"},
    "3 channels": {"x": "1, 3, 8, 8", "w": (8, 3, 3, 3)},
    "weight scale of shape [1]": {"w_scale": ONE},
    "weight scale a scalar": {"w_scale": np.float32(0.01)},
    "gemm": {"op": "Gemm", "attributes": "transB = 1", **GEMM},
    "matmul": {"op": "MatMul", "axis": 1, **MATMUL},
    "matmul of one row": {"op": "MatMul", "x": "1, 16", "w": (16, 8), "axis": 1},
}
FLOAT = {
    "input scale of shape [1]": ({"x_scale": ONE}, "`x_scale` of its input has shape [1]"),
    "input scale per channel": ({"x_scale": np.full(8, 0.05, np.float32)}, "per channel"),
    "conv scales along the input channels": ({"axis": 1}, "along axis 1; INT8 needs them along 0"),
    "gemm scales along K": (
        {"op": "Gemm", "attributes": "transB = 1", "axis": 1, **GEMM},
        "along axis 1; INT8 needs them along 0",
    ),
    "matmul scales along K": (
        {"op": "MatMul", "axis": 0, **MATMUL},
        "along axis 0; INT8 needs them along 1",
    ),
    "input not quantized": ({"pairs": "w"}, "its input `x` is not quantized"),
    "weight not quantized": ({"pairs": "x"}, "its weight `w` is not quantized"),
    "transposed": ({"op": "ConvTranspose", "axis": 1}, "ConvTranspose in float only"),
}


@pytest.fixture
def build(tmp_path):
    """Build a model for 8.9 unless told otherwise; INT8 is asked of every layer."""

    def built(model, *, profiles=(), progress=lambda *_: None, values=(), **options):
        path = tmp_path / "model.onnx"
        path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        target = TensorrtRtx(
            **{"kind": "tensorrt_rtx", "compute_capabilities": (8.9,)} | options,
        )
        asked = [] if isinstance(model, bytes) else int8_of(OnnxModel(model))
        engine = tmp_path / "model.engine"
        return target.build(
            BuildOrder(path, engine, profiles, asked, progress, values=values)
        ), engine

    return built


def int8_of(model):
    return [each.model_copy(update={"precision": "int8"}) for each in model.list_requests()]


@pytest.mark.parametrize("shape", DELIVERED.values(), ids=DELIVERED)
def test_int8_is_delivered(build, shape):
    """Well placed pairs become an INT8 multiplication."""
    found, _ = build(layer(**shape))

    assert [("layer", "int8", "")] == [(x.name, x.delivered, x.cause) for x in found.layers]


@pytest.mark.parametrize(("shape", "cause"), FLOAT.values(), ids=FLOAT)
def test_a_layer_that_fell_back_is_named_with_its_cause(build, shape, cause):
    """TensorRT-RTX says nothing when INT8 becomes float; the plan does, and the model says why."""
    [found] = build(layer(**shape))[0].layers

    assert ("layer", "int8", "fp32") == (found.name, found.asked, found.delivered)
    assert cause in found.cause


def test_turing_in_the_list_turns_every_target_to_float(build):
    """With 7.5 among the compute capabilities there is no INT8 for the others either."""
    [found] = build(layer(), compute_capabilities=(8.9, 7.5))[0].layers

    assert "fp32" == found.delivered
    assert "7.5" in found.cause


def test_a_residual_network_is_int8_throughout(build):
    """Convolutions with bias, ReLU and a skip between them, and the classifier: all INT8."""
    text = f"""
        net (float[N, 8, 8, 8] x) => (float[N, 4] logits) {{
            {"".join(pair(name) for name in "xwvu")}
            [conv1] a = Conv<pads = [1, 1, 1, 1]>(x_dq, w_dq, b)
            r = Relu(a)
            {pair("r")}
            [conv2] c = Conv<pads = [1, 1, 1, 1]>(r_dq, v_dq, b)
            s = Add(c, x_dq)
            t = Relu(s)
            g = GlobalAveragePool(t)
            f = Flatten(g)
            {pair("f")}
            logits = Gemm<transB = 1>(f_dq, u_dq, d)
        }}"""
    scales = {f"{name}_scale": np.float32(0.05) for name in "xwvurf"}
    weights = {"w": random(8, 8, 3, 3), "v": random(8, 8, 3, 3), "u": random(4, 8)}
    biases = {"b": random(8), "d": random(4)}
    zero = {f"{name}_zero": zeros(np.float32(1)) for name in "xwvurf"}
    model = model_of(text, weights | biases | scales | zero)
    shapes = {"x": ((1, 8, 8, 8), (4, 8, 8, 8), (8, 8, 8, 8))}

    found, _ = build(model, profiles=[shapes])

    expected = [("conv1", "int8"), ("conv2", "int8"), ("logits", "int8")]
    assert expected == [(each.name, each.delivered) for each in found.layers]
    assert [("logits", "float32", ("N", 4))] == [(x.name, x.dtype, x.shape) for x in found.outputs]


def test_attention_is_read_through_its_fused_kernel(build):
    """Both multiplications of an attention are INT8, fused into one kernel or not."""
    text = f"""
        net (float[2, 4, 64, 64] x, float[2, 4, 64, 64] k, float[2, 4, 64, 64] v)
            => (float[2, 4, 64, 64] y) {{
            t = Transpose<perm = [0, 1, 3, 2]>(k)
            {"".join(pair(name) for name in "xtv")}
            [scores] a = MatMul(x_dq, t_dq)
            p = Softmax(a)
            {pair("p")}
            [values] b = MatMul(p_dq, v_dq)
            {pair("b")}
            y = Relu(b_dq)
        }}"""
    constants = {f"{name}_scale": np.float32(0.05) for name in "xtvpb"}
    constants |= {f"{name}_zero": zeros(np.float32(1)) for name in "xtvpb"}

    found, _ = build(model_of(text, constants))

    expected = [("scores", "int8"), ("values", "int8")]
    assert expected == [(each.name, each.delivered) for each in found.layers]


def test_layers_in_bodies_are_found(build):
    """The branches of an If are compiled, each under its own name with the If's behind it."""
    text = """m (float[4, 16] x, bool c) => (float[4, 16] y) {
        y = If(c) <
            then_branch = t () => (float[4, 16] a) { a = MatMul(x, w) },
            else_branch = e () => (float[4, 16] b) { [named] b = MatMul(x, w) }
        >
    }"""

    found, _ = build(model_of(text, {"w": random(16, 16)}))

    expected = [("a", "fp32"), ("named", "fp32")]
    assert expected == [(each.name, each.delivered) for each in found.layers]


def test_a_float_model_is_float(build):
    """Nothing quantized, nothing delivered; a GEMV that becomes a generated kernel included."""
    conv = layer(pairs="")
    gemv = layer("MatMul", x="1, 16", w=(16, 8), pairs="")

    assert ["fp32", "fp32"] == [build(each)[0].layers[0].delivered for each in (conv, gemv)]


@pytest.mark.parametrize("name", ['a "b"', "[a][ONNX Layer: b]", "/x/y z{b}=c", "größe", ""])
def test_nodes_are_found_by_any_name(build, name):
    """Quotes, brackets, blanks, umlauts and no name at all do not lose a layer."""
    model = layer()
    model.graph.node[-1].name = name

    [found] = build(model)[0].layers

    assert (name or "y", "int8") == (found.name, found.delivered)


ELSEWHERE = """
from pathlib import Path
import numpy as np
from trtbuild.backends.base import BuildOrder
from trtbuild.model.session import open_session
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
open_session(Path("m.onnx"), threads=1).run({"x": np.zeros((1, 8, 8, 8), np.float32)})
assert "torch" not in __import__("sys").modules, "it costs seconds, and nobody needs it here"
target = TensorrtRtx(kind="tensorrt_rtx", compute_capabilities=(8.9,))
target.build(BuildOrder(Path("m.onnx"), Path("e")))
"""


def test_the_engine_is_the_same_in_any_process(build, tmp_path):
    """Another process and directory, ONNX Runtime run in it before: the same bytes."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "m.onnx").write_bytes(layer().SerializeToString())
    fresh = {name: value for name, value in os.environ.items() if "POLYGRAPHY" not in name}
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        cwd=elsewhere,
        env=fresh,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    build(layer("Gemm", attributes="transB = 1", **GEMM))

    assert build(layer())[1].read_bytes() == (elsewhere / "e").read_bytes()


def test_the_order_of_the_gpus_means_nothing(build):
    """The list is a set: written in any order it is one target; the engine says for which."""
    header = build(layer(), compute_capabilities=(12.0, 8.6))[1].read_bytes()[:64]

    assert ("8.6", "12.0") == read_header(header).compute_capabilities
    assert rtx([12.0, 8.6]) == rtx([8.6, 12.0])


def rtx(capabilities):
    return TensorrtRtx(kind="tensorrt_rtx", compute_capabilities=tuple(capabilities))


def test_options_reach_the_plan(build):
    """TF32 and the workspace stand in the plan as they were set."""
    plain = build(layer())[1].read_bytes()
    found, engine = build(layer(), tf32=False, workspace=2**30)

    assert b"  tf32=1\n" in plain
    assert b"  tf32=0\n" in engine.read_bytes()
    assert 0 < int(re.search(rb"memory_budget = (\d+)", engine.read_bytes())[1]) - 2**30 < 2**20
    assert ("off", str(2**30)) == (found.options["tf32"], found.options["workspace_bytes"])


def test_progress_rises_to_the_end(build):
    """The builder's phases come as percent, never falling, and end at 100."""
    told = []
    build(layer(), progress=lambda *event: told.append(event))

    percents = [done for done, _, _ in told]
    assert sorted(set(percents)) == percents
    assert (100, 100, "%") == told[-1]
    assert len(told) > 5


def test_an_interrupt_stops_the_build(build):
    """What the listener raises comes out, though TensorRT swallows it."""

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(layer(), progress=interrupt)


REFUSED = {
    "unknown operator": (
        "m (float[1, 4] x) => (float[1, 4] y) { [odd] y = my.ops.Fancy(x) }",
        "node `odd` (Fancy): INVALID_NODE",
        "Fancy is no ONNX operator TensorRT knows",
    ),
    "unsupported operator": (
        "m (float[1, 4, 4] x) => (float[1] y) { [odd] y = Det(x) }",
        "node `odd` (Det): UNSUPPORTED_NODE",
        "TensorRT has no Det of this form",
    ),
    "zero point": (
        """m (float[1, 4] x) => (float[1, 4] y) <float s = {0.1}, int8 z = {3}> {
            [odd] q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z)
        }""",
        "node `odd` (QuantizeLinear): INVALID_NODE",
        "every zero point must be 0",
    ),
    "uint8": (
        """m (float[1, 4] x) => (float[1, 4] y) <float s = {0.1}, uint8 z = {0}> {
            [odd] q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z)
        }""",
        "node `odd` (QuantizeLinear) is of uint8",
        "quantize to int8",
    ),
    "uint8 by default": (
        """m (float[1, 4] x) => (float[1, 4] y) <float s = {0.1}> {
            [odd] q = QuantizeLinear(x, s)  y = DequantizeLinear(q, s)
        }""",
        "node `odd` (QuantizeLinear) is of uint8",
        "with a zero point of that type",
    ),
    "computed scale": (
        """m (float[1, 4] x, float s) => (float[1, 4] y) <int8 z = {0}> {
            [odd] q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z)
        }""",
        "node `odd` (QuantizeLinear): its scale `s` is computed",
        "fold constants",
    ),
}  # fmt: skip


SIZED = """m (float[1, 8, 4, 4] x, int64[2] size) => (float[1, 8, h, w] y) {
    s = Shape<start = 0, end = 2>(x)  t = Concat<axis = 0>(s, size)
    [up] y = Resize<mode = "nearest">(x, , , t)
}"""


def test_the_values_of_an_input_that_decides_shapes_are_given(build):
    """Without them it says what to write."""
    profile = {"size": ((4, 4), (8, 8), (16, 16))}
    _, engine = build(model_of(SIZED), profiles=[profile], values=["size"])
    assert engine.stat().st_size > 0
    with pytest.raises(StepInputError) as error:
        build(model_of(SIZED))

    assert "`size: {values: true, min: ..., opt: ..., max: ...}`" in error.value.hint


@pytest.mark.parametrize(("text", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_node_and_quotes_tensorrt(build, text, message, hint):
    """What it cannot take is said with the ONNX node and with what to do."""
    header = '<ir_version: 8, opset_import: ["" : 17, "my.ops" : 1]>\n'
    with pytest.raises(StepInputError) as error:
        build(onnx.parser.parse_model(header + text))

    assert message in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize("data", [b"", b"not a model", layer().SerializeToString()[:-9]])
def test_garbage_is_one_clear_error(build, data):
    """Bytes that are no model, or half of one, are told as that."""
    with pytest.raises(StepInputError, match=r"the model|model\.onnx"):
        build(data)


def test_too_little_workspace_says_what_to_raise(build):
    """TensorRT's message is quoted, and the option named."""
    with pytest.raises(StepInputError, match="no tactics") as error:
        build(layer(), workspace=1)

    assert "`workspace`" in error.value.hint


def test_a_float_gemm_for_turing_says_what_to_take_out(build):
    """TensorRT-RTX has no FP32 GEMM on 7.5."""
    with pytest.raises(StepInputError, match="FP32 GEMM is not supported") as error:
        build(layer("MatMul", **MATMUL, pairs=""), compute_capabilities=(7.5,))

    assert "take 7.5 out" in error.value.hint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compute_capabilities": [9.0]}, "does not compile for 9.0; it does for 7.5, 8.0"),
        ({"compute_capabilities": [8.6, 8.6]}, "listed twice"),
        ({"compute_capabilities": []}, "at least 1 item"),
        ({"workspace": 0}, "a size is at least 1 byte"),
        ({"builder_optimization_level": 6}, "less than or equal to 5"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    """A recipe that asks for what there is not fails before anything runs."""
    with pytest.raises(ValidationError, match=re.escape(message)):
        TensorrtRtx.model_validate({"kind": "tensorrt_rtx", **options}, strict=False)


def test_without_tensorrt_rtx_the_error_says_how_to_install_it(build, monkeypatch):
    """A library that is not there is no traceback."""
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    monkeypatch.setitem(sys.modules, "tensorrt_rtx_bindings", None)

    with pytest.raises(MissingDependency) as error:
        build(layer())

    assert "pip install 'trtbuild[rtx-aot]'" == error.value.hint
