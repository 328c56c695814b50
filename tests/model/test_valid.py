"""What leaves a step is a model that every reader takes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.model.valid import check_onnx
from trtbuild.model.weights_file import refer_to_file

HEADER = '<ir_version: 8, opset_import: ["" : 17, "own" : 1]>\n'


def parsed(text):
    return onnx.parser.parse_model(HEADER + text)


@pytest.mark.parametrize(
    "text",
    [
        "g (float[N] x) => (float[N] y) { y = Relu(x) }",
        "g (float[N] x) => (float[N] y) { [a] z = Relu(x)  [b] y = own.Thing(z) }",
        "g (float[2, 3] x) => (float[2, 4] y) { a = Transpose(x)  y = Relu(a) }",
    ],
    ids=["plain", "an operator of one's own", "shapes that do not fit: judged elsewhere"],
)
def test_valid_models_pass(text):
    """In silence."""
    assert () == check_onnx(parsed(text), "here")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("g (float[N] x) => (float[N] y) { [a] b = Relu(x)  [a] y = Neg(b) }", "named `a`"),
        (
            """g (float[N] x, bool c) => (float[N] y) { y = If (c) <
            then_branch = t () => (float[N] p) { [a] q = Relu(x)  [a] p = Neg(q) },
            else_branch = e () => (float[N] r) { [a] r = Neg(x) }> }""",
            "named `a`",
        ),
        ("g (float[N] x) => (float[N] y) { y = Relu(z) }", "topologically sorted"),
        ("g (float[N] x) => (float[N] y) { y = Relu(x)  y = Neg(x) }", "multiple times|SSA"),
        ("g (float[N] x, float16[N] z) => (float[N] y) { y = Add(x, z) }", "inconsistent type"),
        ("g (float[N] x) => (float16[N] y) { y = Relu(x) }", "differs from existing elem type"),
    ],
    ids=["name", "name in a branch", "order", "made twice", "types", "output's type"],
)
def test_models_that_some_reader_refuses_do_not(text, what):
    """ONNX Runtime would not load them, or TensorRT."""
    with pytest.raises(StepInputError, match=f"here: is not a valid ONNX model: .*({what})"):
        check_onnx(parsed(text), "here")


def test_nodes_of_two_branches_may_share_a_name():
    """They are told apart by where they are; and so may nodes without one."""
    text = """g (float[N] x, bool c) => (float[N] y) { y = If (c) <
        then_branch = t () => (float[N] p) { [a] p = Neg(x) },
        else_branch = e () => (float[N] r) { [a] r = Abs(x) }> }"""

    assert () == check_onnx(parsed(text), "here")


def test_a_type_that_only_a_later_opset_has_is_remarked():
    """TensorRT takes bfloat16 in any; ONNX Runtime does not."""
    [remark] = check_onnx(
        parsed(
            "g (bfloat16[1,1,2] x, bfloat16[1,1,1] w) => (bfloat16[1,1,2] y) { y = Conv(x, w) }"
        ),
        "here",
    )

    assert remark.startswith("ONNX Runtime will not load the model: (op_type:Conv)")


def test_large_weights_are_not_looked_at():
    """They may lie in a file that is not there; what they weigh is not copied."""
    model = model_of(
        "g (float[N, 64] x) => (float[N, 64] y) { y = MatMul(x, w) }",
        {"w": np.zeros((64, 64), np.float32)},
    )
    refer_to_file(model.graph.initializer[0], "/no/such/file", 0, 4 * 64 * 64)

    assert () == check_onnx(model, "here")
    assert () == check_onnx(model, "here", weights=True)
