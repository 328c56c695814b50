from __future__ import annotations

import numpy as np
import onnx

from tests.helpers.models import model_of
from trtbuild.model.editor import Editor

MODEL = """g (float[2] x) => (float[2] y) <float[2] c = {1, 2}> {
    [first] a = Neg(x)  i = Identity(c)  [last] y = Add(a, i)
}"""


def edited():
    model = model_of(MODEL)
    return model, Editor(model)


def test_new_nodes_stand_right_before_the_one_named():
    """And operands read them; the graph stays sorted."""
    model, editor = edited()
    result = editor.node_before(2, "Abs", "new", ["a"], "b")
    editor.read((2, 0), result)
    editor.finish()

    onnx.checker.check_model(model)
    assert ["Neg", "Identity", "Abs", "Add"] == [node.op_type for node in model.graph.node]
    assert ["b", "i"] == list(model.graph.node[-1].input)


def test_what_lost_its_readers_goes():
    """The constant and the Identity that led to it; the input of the model does not."""
    model, editor = edited()
    editor.read((2, 1), editor.constant("c", np.zeros(2, np.float32)))
    editor.finish()

    assert ["c_1"] == [tensor.name for tensor in model.graph.initializer]
    assert ["Neg", "Add"] == [node.op_type for node in model.graph.node]
    assert ["x"] == [value.name for value in model.graph.input]


def test_without_a_change_nothing_goes():
    """Not even what nobody read before."""
    model = model_of("g (float[2] x) => (float[2] y) <float[2] c = {1, 2}> { [n] y = Neg(x) }")
    before = model.SerializeToString(deterministic=True)
    Editor(model).finish()

    assert before == model.SerializeToString(deterministic=True)


def test_a_missing_operand_can_be_set():
    """Those between are left out."""
    model = model_of("g (float[2] x) => (float[2] y) { [n] y = Clip(x) }")
    editor = Editor(model)
    editor.read((0, 2), editor.constant("high", np.float32(1)))
    editor.finish()

    assert ["x", "", "high"] == list(model.graph.node[0].input)
