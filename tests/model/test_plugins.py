"""Plugins: what ONNX Runtime cannot run, and what stands in front of it."""

from __future__ import annotations

import onnx

from tests.helpers.models import model_of, outputs_of
from trtbuild.model.onnx_file import read_onnx
from trtbuild.model.opset import raise_opset
from trtbuild.model.plugins import cut_before_plugins, find_behind, find_plugins
from trtbuild.model.valid import check_onnx

MODEL = """
<ir_version: 8, opset_import: ["" : 17, "my.ops": 1]>
m (float[N, 2] x) => (float[N, 2] a, float[N, 2] y, float[N, 2] z)
<float[2] c = {1, 2}>
{
    a = Add(x, c)
    [nms0] p, q = EfficientNMS_TRT<plugin_version = "1">(a, c)
    y = Relu(q)
    [own] z = my.ops.Thing(x)
}
"""


def test_plugins_are_nodes_of_no_domain_that_onnx_runtime_knows():
    """ONNX's own names in ONNX's domain, `ai.onnx.ml` and `com.microsoft` are none."""
    model = model_of(
        """<ir_version: 8, opset_import: ["" : 17, "com.microsoft": 1, "a.b": 1, "ai.onnx.ml": 3]>
        m (float[2] x) => (float[2] y) {
            a = Relu(x)  b = com.microsoft.Gelu(a)  c = ai.onnx.ml.Scaler(b)
            d = a.b.Relu(c)  e = BatchedNMS_TRT(d)  y = Neg(e)
        }"""
    )

    assert ["Relu", "BatchedNMS_TRT"] == [node.op_type for node in find_plugins(model.graph.node)]


def test_a_body_that_holds_a_plugin_makes_its_node_one():
    """ONNX Runtime loads an If whole, or not at all; it is named after what is in it."""
    model = model_of(
        """m (bool c, float[2] x) => (float[2] y) {
            [choice] y = If<
                then_branch = t () => (float[2] t) { t = Own_TRT(x) },
                else_branch = e () => (float[2] e) { e = Relu(x) }
            >(c)
        }"""
    )

    assert {0: "Own_TRT `choice`"} == find_behind(model.graph.node)


def test_a_model_is_cut_where_plugins_begin():
    """What they read is an output, constants and inputs are not; the rest runs in ONNX Runtime."""
    import numpy as np

    model = model_of(MODEL)

    front = cut_before_plugins(model)

    assert ("EfficientNMS_TRT `nms0`", "Thing `own`") == front.plugins
    assert ("y", "z") == front.lost
    assert ("a",) == front.seams
    assert ["a"] == [output.name for output in model.graph.output]
    found = outputs_of(model, {"x": np.ones((1, 2), np.float32)})
    assert [[2, 3]] == found["a"].tolist()


def test_a_model_without_plugins_is_left_alone():
    """Nothing is cut off, and nothing written."""
    model = model_of("m (float[2] x) => (float[2] y) { y = Relu(x) }")
    before = model.SerializeToString()

    assert () == cut_before_plugins(model).plugins
    assert before == model.SerializeToString()


def test_import_takes_plugins_and_says_which(tmp_path):
    """A domain without a version gets one: the ONNX library would refuse the model."""
    model = model_of(MODEL)
    del model.opset_import[1]
    onnx.save(model, tmp_path / "m.onnx")

    read = read_onnx(tmp_path / "m.onnx")

    assert (
        "version 1 is assumed of the domain `my.ops`, which the model does not declare",
        (
            "no operators of ONNX, and taken for plugins of TensorRT: EfficientNMS_TRT `nms0`, "
            "Thing `own`"
        ),
    ) == read.notes
    assert ["", "", "", "my.ops"] == [node.domain for node in read.model.graph.node]


def test_the_check_leaves_a_model_as_it_is():
    """Plugins are set apart for the ONNX library alone."""
    model = model_of(MODEL)
    before = model.SerializeToString()

    check_onnx(model, "here", weights=True)

    assert before == model.SerializeToString()


def test_the_opset_of_a_model_with_plugins_can_be_raised():
    """ONNX's converter refuses operators that it does not know."""
    old = MODEL.replace('"" : 17', '"" : 11')

    raised, _ = raise_opset(model_of(old))

    assert 13 == raised.opset_import[0].version
    assert ["my.ops"] == [entry.domain for entry in raised.opset_import[1:]]
    assert ["", "", "", "my.ops"] == [node.domain for node in raised.graph.node]
