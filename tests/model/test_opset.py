from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal, seeded
from trtbuild.core.errors import StepInputError
from trtbuild.model.opset import raise_opset, read_opset

OLD = """<ir_version: 3, opset_import: ["" : 9]>
g (float[N,4,2,2] x, float[4] s) => (float[N,4,4,4] y) <float[4] s = {1, 1, 2, 2}> {
    [clip] c = Clip<min=0.0>(x)  [grow] u = Upsample<mode="nearest">(c, s)  [end] y = Neg(u)
}"""


def test_an_old_model_is_raised_to_13_and_keeps_its_names():
    """Upsample becomes Resize; its node and its result are called what they were."""
    model = model_of(OLD)
    feed = {"x": normal(1, 4, 2, 2)}
    before = outputs_of(model, feed)["y"]

    lifted, remarks = raise_opset(model)

    assert 13 == read_opset(lifted)
    assert "raised from 9 to 13" in remarks[0]
    made = {node.name: (node.op_type, node.output[0]) for node in lifted.graph.node}
    assert {"clip": ("Clip", "c"), "grow": ("Resize", "u"), "end": ("Neg", "y")}.items() <= (
        made.items()
    )
    onnx.checker.check_model(lifted, full_check=True)
    assert before.tolist() == outputs_of(lifted, feed)["y"].tolist()


def test_an_opset_that_serves_is_left_alone():
    """No conversion without need, and no remark."""
    model = seeded("g (float[N,4] x) => (float[N,4] y) { y = MatMul(x, w) }", w=(4, 4))
    before = model.SerializeToString(deterministic=True)

    lifted, remarks = raise_opset(model)

    assert ((), before) == (remarks, lifted.SerializeToString(deterministic=True))


@pytest.mark.parametrize(("given", "expected"), [(14, 10), (8, 8), (3, 7)])
def test_the_ir_version_is_one_that_every_reader_knows(given, expected):
    """10 at most; 7 at least, since INT8 weights are no inputs."""
    model = model_of("g (float[2] x) => (float[2] y) { y = Relu(x) }")
    model.ir_version = given

    assert expected == raise_opset(model)[0].ir_version


def test_an_input_with_a_default_becomes_a_constant():
    """TensorRT takes it for one; the remark names it."""
    model = model_of("""g (float[N,4] x, float[4,4] w) => (float[N,4] y)
        <float[4,4] w = {1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1}> { y = MatMul(x, w) }""")

    lifted, remarks = raise_opset(model)

    assert ["x"] == [value.name for value in lifted.graph.input]
    assert ("inputs with a default value are constants now: `w`",) == remarks


def test_an_opset_that_cannot_be_raised_is_refused():
    """One sentence with both numbers, and what to do."""
    model = onnx.parser.parse_model("""<ir_version: 3, opset_import: ["" : 8]>
        g (float[2] x) => (float[2] y) { y = Relu<consumed_inputs = [1]>(x) }""")

    with pytest.raises(StepInputError, match="opset 8 cannot be raised to 13") as raised:
        raise_opset(model)
    assert "export the model again" in raised.value.hint
