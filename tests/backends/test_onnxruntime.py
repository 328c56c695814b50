"""ONNX Runtime as a target."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from trtbuild.backends.base import BuildOrder
from trtbuild.backends.model import OnnxModel
from trtbuild.backends.onnxruntime import Onnxruntime
from trtbuild.core.errors import StepInputError


@pytest.fixture
def build(tmp_path):
    def built(model):
        path = tmp_path / "m.onnx"
        onnx.save(model, path)
        order = BuildOrder(
            path, tmp_path / "model.engine", requested=OnnxModel(model).list_requests()
        )
        return Onnxruntime(kind="onnxruntime").build(order)

    return built


def test_the_engine_is_the_model(build, tmp_path):
    """What is delivered is the very file that was loaded."""
    found = build(layer())

    assert (tmp_path / "m.onnx").read_bytes() == (tmp_path / "model.engine").read_bytes()
    assert ["y"] == [spec.name for spec in found.outputs]


def test_a_fused_matmul_is_int8(build):
    """ONNX Runtime has an integer kernel for it, and says so in its optimized graph."""
    [found] = build(layer("MatMul", x="4, 16", w=(16, 8), axis=1)).layers

    assert ("layer", "int8", "int8") == (found.name, found.asked, found.delivered)


def test_a_conv_without_a_quantized_output_is_float(build):
    """ONNX Runtime fuses a Conv only between pairs; the honest answer is float, with the cause."""
    [found] = build(layer()).layers

    assert ("int8", "fp32") == (found.asked, found.delivered)
    assert "in float" in found.cause


def test_a_layer_fused_with_its_activation_is_found(build):
    """ONNX Runtime calls it `fused fc`; it is `fc` all the same."""
    text = """m (float[1, 2] x) => (float[1, 2] y) <float[2, 2] w = {1, 2, 3, 4}> {
        [fc] a = Gemm(x, w)  y = Relu(a)
    }"""

    assert [("fc", "fp32")] == [(x.name, x.delivered) for x in build(model_of(text)).layers]


def test_a_float_model_is_float(build):
    """Nothing asked, nothing explained."""
    [found] = build(layer(pairs="")).layers

    assert ("fp32", "fp32", "") == (found.asked, found.delivered, found.cause)


def test_a_layer_folded_away_is_unknown(build):
    """A product of constants is computed while loading, and in nobody's precision."""
    text = """m (float[2, 2] x) => (float[2, 2] y) <float[2, 2] w = {1, 2, 3, 4}> {
        [folded] c = MatMul(w, w)  y = Add(x, c)
    }"""

    assert ["unknown"] == [each.delivered for each in build(model_of(text)).layers]


def test_a_model_that_does_not_load_is_an_error(build):
    """The proof that it runs fails."""
    text = """<ir_version: 8, opset_import: ["" : 17, "my.ops" : 1]>
        m (float[1] x) => (float[1] y) { y = my.ops.Fancy(x) }"""

    with pytest.raises(StepInputError, match="Fancy"):
        build(onnx.parser.parse_model(text))


def test_a_model_with_a_plugin_is_refused_by_name(build):
    """ONNX Runtime's own words speak of a schema of its own."""
    model = model_of("m (float[1, 2] x) => (float[1, 2] y) { [nms0] y = EfficientNMS_TRT(x) }")

    with pytest.raises(StepInputError, match="cannot run EfficientNMS_TRT `nms0`, which is taken"):
        build(model)
