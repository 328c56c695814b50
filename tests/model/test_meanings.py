"""A model means after its opset is raised what it meant before."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal
from trtbuild.core.errors import StepInputError
from trtbuild.model.opset import raise_opset
from trtbuild.model.valid import check_onnx

OPSET = '<ir_version: 7, opset_import: ["" : {}]>\n'
SHAPE = "(float[N,4,5,6] x) => (float[N,4,5,6] y)"


def parsed(opset, text):
    return onnx.parser.parse_model(OPSET.format(opset) + text)


def ends(before, feed, *, needed=13):
    """Return what a model gives before its opset is raised, and after; names are each one's own."""
    first = outputs_of(before, feed)
    after, _ = raise_opset(before, needed)
    check_onnx(after, "the model")
    return first["y"].round(5).tolist(), outputs_of(after, feed)["y"].round(5).tolist()


@pytest.mark.parametrize("axis", [None, 0, 1, -2, 3])
@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax", "Hardmax"])
def test_a_softmax_spans_all_axes_from_its_own_on(operator, axis):
    """So it was up to opset 12; from 13 on it spans one."""
    attribute = "" if axis is None else f"<axis = {axis}>"
    model = parsed(11, f"g {SHAPE} {{ [top] y = {operator} {attribute} (x) }}")
    before, after = ends(model, {"x": normal(2, 4, 5, 6)})

    assert before == after


@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax", "Hardmax"])
def test_a_softmax_over_an_unknown_number_of_axes(operator, axis):
    """Behind a Reshape to a shape that is computed, nobody knows which axis is the last."""
    model = parsed(
        11,
        f"""g (float[N,4,5,6] x, int64[3] s) => (float[A,B,C] y)
        {{ a = Reshape(x, s)  y = {operator} <axis = {axis}> (a) }}""",
    )
    before, after = ends(model, {"x": normal(2, 4, 5, 6), "s": np.array([2, 4, 30])})

    assert before == after


def test_a_softmax_keeps_its_name_and_its_result():
    """What is put around it is called after it, and nothing has its name too."""
    model = parsed(11, f"g {SHAPE} {{ [a] b = Relu(x)  [top] y = Softmax <axis = 1> (b) }}")
    lifted, _ = raise_opset(model)

    assert [
        ("a", "Relu"),
        ("top_shape", "Shape"),
        ("top_flatten", "Flatten"),
        ("top", "Softmax"),
        ("top_reshape", "Reshape"),
    ] == [(node.name, node.op_type) for node in lifted.graph.node]


def test_a_softmax_over_the_last_axis_stays_one_node():
    """It means the same in every opset."""
    lifted, _ = raise_opset(parsed(11, f"g {SHAPE} {{ [top] y = Softmax <axis = 3> (x) }}"))

    assert ["top"] == [node.name for node in lifted.graph.node]


def test_a_softmax_in_a_branch_is_written_anew_too():
    """What the converter makes of bodies rests on its version."""
    model = parsed(
        11,
        """g (float[N,4,5,6] x, bool c) => (float[N,4,5,6] y) {
        y = If (c) <then_branch = t () => (float[N,4,5,6] p) { p = Hardmax <axis = 1> (x) },
                    else_branch = e () => (float[N,4,5,6] q) { q = Neg (x) }> }""",
    )
    before, after = ends(model, {"x": normal(2, 4, 5, 6), "c": np.array(True)})

    assert before == after


@pytest.mark.parametrize("needed", [13, 19])
@pytest.mark.parametrize("scales", ["1, 1, 2, 2", "1, 1, 2.3, 1.7"])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize(("opset", "operator"), [(9, "Upsample"), (10, "Resize")])
def test_pictures_grow_as_they_did(opset, operator, mode, scales, needed):
    """Up to opset 10 pixels began at the same corner; from 11 on halves of them are counted."""
    model = parsed(
        opset,
        f"""g (float[N,4,5,6] x) => (float[N,C,H,W] y) <float[4] s = {{{scales}}}>
        {{ y = {operator} <mode = "{mode}"> (x, s) }}""",
    )
    before, after = ends(model, {"x": normal(2, 4, 5, 6)}, needed=needed)

    assert before == after


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_pictures_shrink_as_they_did(mode):
    """The nearest value was the next one then, and not the one before."""
    model = parsed(
        10,
        f"""g (float[N,4,5,6] x) => (float[N,C,H,W] y)
        {{ s = Constant <value = float[4] {{1, 1, 0.7, 0.75}}> ()
        y = Resize <mode = "{mode}"> (x, s) }}""",
    )
    before, after = ends(model, {"x": normal(2, 4, 5, 6)})

    assert before == after


def test_what_no_later_opset_can_say_is_refused():
    """Nearest values, the next ones along one axis and those before along another."""
    model = parsed(
        10,
        """g (float[N,4,5,6] x) => (float[N,C,H,W] y) <float[4] s = {1, 1, 0.5, 2}>
        { [odd] y = Resize (x, s) }""",
    )

    with pytest.raises(StepInputError, match=r"opset 10 cannot be raised to 13.*node `odd`"):
        raise_opset(model)
