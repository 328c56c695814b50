"""cast_io: other types at the ends, the same tensors inside."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import graph_of, model_of, outputs_of
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.cast_io import CastIo

TEXT = """g (float[N, 3] x, int64[N] i) => (float[N, 3] y, int64[N] j)
    { y = Relu(x)  j = Neg(i) }"""


def cast(**types):
    return CastIo(kind="cast_io", types=types)


def test_inputs_and_outputs_change_their_types():
    """Pixels come in as they are, tokens as TensorRT likes them."""
    model = model_of(TEXT)
    fixed, accounts = apply_fixes(model, [cast(x="uint8", i="int32", y="float16", j="int32")])
    found = outputs_of(
        fixed, {"x": np.array([[1, 2, 255]], np.uint8), "i": np.array([7], np.int32)}
    )

    assert ("float16", [[1, 2, 255]]) == (found["y"].dtype, found["y"].tolist())
    assert ("int32", [-7]) == (found["j"].dtype, found["j"].tolist())
    assert "x: float32 → uint8" == accounts.fixes[0].changed[0]
    assert ["x", "i"] == [value.name for value in fixed.graph.input]


def test_the_tensors_inside_are_named_after_their_types():
    """The old name is the end's."""
    graph = graph_of(TEXT)
    cast(x="float16").apply(graph)

    assert ("x", "x_float32") == (
        graph.nodes[0].inputs[0].name,
        graph.nodes[0].outputs[0].name,
    )


def test_what_a_type_cannot_hold_is_said():
    """A narrower one loses numbers, an integer what is behind the point."""
    log = cast(y="float16", j="int32", x="float16").apply(graph_of(TEXT))

    assert [
        "cast_io: `y` from float32 to float16: numbers that it cannot hold are changed",
        "cast_io: `j` from int64 to int32: numbers that it cannot hold are changed",
    ] == log.remarks


def test_what_is_so_already_is_remarked():
    """Twice is once."""
    assert ["cast_io: `x` is float32 already"] == cast(x="float32").apply(graph_of(TEXT)).remarks


def test_an_absent_end_is_refused():
    """With those there are."""
    with pytest.raises(StepInputError, match="no input or output `q`"):
        cast(q="uint8").apply(graph_of(TEXT))


def test_the_plan_foresees_types():
    """So that data is held against them."""
    spec = TensorSpec(name="x", dtype="float32", shape=(1,))

    assert "uint8" == cast(x="uint8").foresee((spec,))[0].dtype
