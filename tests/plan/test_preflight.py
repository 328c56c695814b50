"""What is said of a recipe that does not fit its model."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit, small_project
from trtbuild.core.values import NodeSpec, Signature, TensorSpec
from trtbuild.plan.preflight import find_model_problems
from trtbuild.recipe.load import load_recipe

SIGNATURE = Signature(
    inputs=(TensorSpec(name="input", dtype="float32", shape=("batch", 3, 8, 8)),),
    outputs=(TensorSpec(name="logits", dtype="float32", shape=("batch", 4)),),
    tensors=("input", "a", "logits"),
    nodes=(NodeSpec(name="a", op="Conv"), NodeSpec(name="logits", op="Gemm")),
)
INT8 = "quantization:\n  data: calib\n  calibrator: {kind: minmax}\n"


@pytest.mark.parametrize(
    ("section", "unmatched"),
    [
        (INT8, []),
        (INT8 + "  skip: [logits, 'b*', 'op:Gemm', 'op:Foo']\n", ["b*", "op:Foo"]),
        (INT8 + "  precision: {'op:C*': fp32, 'c?': int8}\n", ["c?"]),
        ("precision: {type: fp16, fp32: [a, nothing, 'op:Foo']}\n", ["nothing", "op:Foo"]),
        ("precision: fp16\n", []),
    ],
)
def test_a_pattern_that_means_no_node_is_a_problem(section, unmatched, tmp_path):
    """Wherever a recipe says what nodes are computed in."""
    loaded = load_recipe(edit(small_project(tmp_path), INT8, section))

    assert [f"`{pattern}` matches no node of the model" for pattern in unmatched] == [
        problem.message for problem in find_model_problems(loaded, SIGNATURE, {})
    ]
