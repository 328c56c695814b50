"""ONNX Runtime: what it computes, and what it says when it cannot."""

from __future__ import annotations

import functools

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.core.quantized_types import FP8
from trtbuild.model import session
from trtbuild.model.session import is_gpu_full, is_out_of_memory, open_session, write_optimized


@pytest.fixture
def run(tmp_path):
    def run_once(model, feed_dict, *, threads=1):
        onnx.save(model, tmp_path / "m.onnx")
        return open_session(tmp_path / "m.onnx", threads=threads).run(feed_dict)

    return run_once


def test_a_pair_rounds_half_to_even_and_clips(run):
    """q = clip(round(x / 0.5), -128, 127) and back: 0.75 is 1.5 steps, so 2; 99 is clipped."""
    text = """m (float[4] x) => (float[4] y) <float s = {0.5}, int8 z = {0}> {
        q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z)
    }"""
    x = np.array([0.75, 1.25, -99, 99], np.float32)

    assert [1.0, 1.0, -64.0, 63.5] == run(model_of(text), {"x": x})["y"].tolist()


def test_quantized_layers_are_emulated_in_float(run):
    """The bias of a Conv between pairs stays what it is: 0 * w + 0.25, in steps of 0.25.

    ONNX Runtime's own integer Conv would first round the bias to steps of 1, the product of the
    input's scale and the weight's, and answer 0.
    """
    text = """m (float[1, 4, 1, 1] x) => (float[1, 1, 1, 1] y)
        <float s = {1}, float t = {0.25}, int8 z = {0}, float[1] b = {0.25}> {
        xq = QuantizeLinear(x, s, z)  xd = DequantizeLinear(xq, s, z)
        wq = QuantizeLinear(w, s, z)  wd = DequantizeLinear(wq, s, z)
        c = Conv(xd, wd, b)
        yq = QuantizeLinear(c, t, z)  y = DequantizeLinear(yq, t, z)
    }"""
    weights = {"w": np.ones((1, 4, 1, 1), np.float32)}

    assert 0.25 == run(model_of(text, weights), {"x": np.zeros((1, 4, 1, 1), np.float32)})["y"]


def test_threads_change_no_bit(run):
    """One thread or several: the same numbers."""
    x = {"x": np.random.default_rng(1).normal(size=(1, 8, 8, 8)).astype(np.float32)}

    one, two = (run(layer(), x, threads=threads)["y"] for threads in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_what_a_model_draws_is_the_same_in_every_process(run):
    """Or two runs of one recipe would differ, and no digest would say why."""
    drawing = model_of("g (float[4] x) => (float[4] y) { y = RandomNormalLike(x) }")
    found = []
    for seed in (1, 2):  # each process has its own
        onnxruntime.set_seed(seed)
        found.append(run(drawing, {"x": np.zeros(4, np.float32)})["y"])

    np.testing.assert_array_equal(*found)


def test_a_model_it_cannot_load_is_told(run):
    """An operator that ONNX Runtime lacks is quoted."""
    text = """<ir_version: 8, opset_import: ["" : 17, "my.ops" : 1]>
        m (float[1] x) => (float[1] y) { y = my.ops.Fancy(x) }"""

    with pytest.raises(StepInputError, match=r"cannot load the model: .*Fancy"):
        run(onnx.parser.parse_model(text), {})


@pytest.mark.parametrize(
    ("hint", "opset", "ir", "dtype"),
    [
        ("export the model again with opset 13 or above", 6, 8, 1),
        ("ONNX Runtime has this operator in other types", 17, 8, 11),
        ("write `model.ir_version = 10`", 17, 99, 1),
        ("export the model with an opset that this ONNX Runtime knows", 99, 10, 1),
    ],
)
def test_why_it_cannot_load_a_model_decides_what_is_advised(run, hint, opset, ir, dtype):
    """Age, type, and what is newer than it."""
    value = [onnx.helper.make_tensor_value_info(name, dtype, (1,)) for name in "xy"]
    attributes = {"is_test": 1} if opset < 7 else {}
    op = "Dropout" if attributes else "Softplus"
    node = onnx.helper.make_node(op, ["x"], ["y"], **attributes)
    imports = [onnx.helper.make_opsetid("", opset)]
    graph = onnx.helper.make_graph([node], "g", value[:1], value[1:])
    with pytest.raises(StepInputError) as raised:
        run(onnx.helper.make_model(graph, opset_imports=imports, ir_version=ir), {})

    assert raised.value.hint.startswith(hint)


def test_a_run_that_fails_is_told(run):
    """A failure inside the model is quoted, not a traceback."""
    text = "m (float[n] x) => (float[k] y) <int64[1] s = {3}> { y = Reshape(x, s) }"

    with pytest.raises(StepInputError, match="cannot run the model"):
        run(model_of(text), {"x": np.zeros(4, np.float32)})


TWO = "m (float[1] x) => (float[1] y, float[1] z) { y = Add(x, x)  z = Mul(x, x) }"


def test_outputs_come_in_the_order_that_is_asked_for():
    """All of them unless some are named; none where none are."""
    session = open_session(model_of(TWO).SerializeToString(), threads=1)
    x = {"x": np.array([3], np.float32)}

    assert {"y": 6, "z": 9} == session.run(x)
    assert ["z", "y"] == list(session.run(x, ["z", "y"]))
    assert {} == session.run(x, [])


def test_it_computes_where_it_is_told_to():
    """A provider that ONNX Runtime does not have is no silent CPU."""
    with pytest.raises(MissingDependency, match="has no NoSuchProvider here"):
        open_session(model_of(TWO).SerializeToString(), threads=1, providers=["NoSuchProvider"])


def test_external_data_is_found_in_its_folder(tmp_path):
    """Bytes do not say where they come from."""
    text = "m (float[1, 64] x) => (float[1, 64] y) { y = MatMul(x, w) }"
    weights = {"w": np.full((64, 64), 2, np.float32)}
    onnx.save(model_of(text, weights), tmp_path / "m.onnx", save_as_external_data=True)
    bare = onnx.load(tmp_path / "m.onnx", load_external_data=False).SerializeToString()
    x = {"x": np.ones((1, 64), np.float32)}

    session = open_session(bare, threads=1, folder=tmp_path, mapped=True)
    assert 128 == session.run(x)["y"].max()


def test_the_optimized_graph_has_the_fusions(tmp_path):
    """What ONNX Runtime itself would run: an integer MatMul in place of one between pairs."""
    onnx.save(layer("MatMul", x="4, 16", w=(16, 8), axis=1), tmp_path / "m.onnx")
    write_optimized(tmp_path / "m.onnx", tmp_path / "o.onnx")

    operators = [node.op_type for node in onnx.load(tmp_path / "o.onnx").graph.node]
    assert "MatMulIntegerToFloat" in operators


@pytest.mark.parametrize(
    ("told", "short"),
    [
        (
            "BFCArena: Failed to allocate memory for requested buffer of size",
            True,
        ),
        ("CUDA failure 2: out of memory ; GPU=0", True),
        ("CUBLAS failure 1: CUBLAS_STATUS_NOT_INITIALIZED ; expr=cublasCreate(&handle)", True),
        ("CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", True),
        ("std::bad_alloc", True),
        ("Got invalid dimensions for input: x", False),
    ],
)
def test_a_lack_of_memory_is_known_and_advised_on(told, short):
    """Of the GPU's mostly, which others fill."""
    assert short == is_out_of_memory(StepInputError(told))
    assert short == ("--device cpu" in session._advise(told))
    assert (short and "bad_alloc" not in told) == is_gpu_full(told)


def test_a_relu_in_front_of_fp8_is_computed(run):
    """ONNX Runtime 1.32 by itself drops it: it takes FP8's zero for the least number of uint8."""
    text = """<ir_version: 8, opset_import: ["" : 19]>
    m (float[4] x) => (float[4] y) <float s = {0.5}> {
        r = Relu(x)  q = QuantizeLinear(r, s, z)  y = DequantizeLinear(q, s, z)
    }"""
    zero = np.zeros((), onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.FLOAT8E4M3FN))
    x = np.array([-3, 0.26, 1000, 1.0], np.float32)

    assert [0, 0.25, 224, 1.0] == run(model_of(text, {"z": zero}), {"x": x})["y"].tolist()


@given(arrays(np.float32, 16, elements=st.floats(-1e4, 1e4, width=32)), st.floats(1e-3, 1e3))
def test_fp8_pairs_are_computed_bit_by_bit_as_the_type_rounds(values, scale):
    """Of a Q/DQ pair by ONNX Runtime and by what quantizes weights; ml_dtypes rounds the latter."""
    held, step = _fp8_pair(), np.float32(scale)
    found = held.run({"x": values, "s": np.array(step)})["y"]

    assert (FP8.round(values / step) * step).tobytes() == found.tobytes()


@functools.cache
def _fp8_pair():
    text = """<ir_version: 8, opset_import: ["" : 19]>
    m (float[16] x, float s) => (float[16] y) {
        q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z)
    }"""
    zero = np.zeros((), FP8.dtype)
    return open_session(model_of(text, {"z": zero}).SerializeToString(), threads=1)
