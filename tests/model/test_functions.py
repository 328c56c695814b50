"""Local functions are inlined, and never without bounds."""

from __future__ import annotations

import onnx
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.model.functions import inline_functions


def with_functions(*bodies):
    """A model that calls F0; each body is the text of F0, F1, ..."""
    functions = "\n".join(
        f'<domain: "f", opset_import: ["" : 17, "f" : 1]> F{index} (x) => (y) {{ {body} }}'
        for index, body in enumerate(bodies)
    )
    return onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17, "f" : 1]>\n'
        "m (float[4] input) => (float[4] output) { output = f.F0 (input) }\n" + functions
    )


def test_functions_are_inlined():
    """Two calls, each of two nodes."""
    model = with_functions("a = f.F1 (x)  y = f.F1 (a)", "b = Relu (x)  y = Neg (b)")

    assert ["Relu", "Neg"] * 2 == [node.op_type for node in inline_functions(model, "m").graph.node]


@pytest.mark.parametrize("bodies", [["y = f.F0 (x)"], ["y = f.F1 (x)", "y = f.F0 (x)"]])
def test_a_function_that_calls_itself_is_refused(bodies):
    """At once, or by way of another."""
    with pytest.raises(StepInputError, match="m: the local function `F0` calls itself"):
        inline_functions(with_functions(*bodies), "m")


def test_functions_that_double_are_refused_before_they_grow():
    """Thirty of them would come to a thousand million nodes."""
    doubled = [f"a = f.F{index + 1} (x)  y = f.F{index + 1} (a)" for index in range(30)]

    with pytest.raises(StepInputError, match="m: its local functions come to more than 1,000,000"):
        inline_functions(with_functions(*doubled, "y = Relu (x)"), "m")
