"""python: a team's own change to the graph, and how its mistakes are told."""

from __future__ import annotations

import pytest

from tests.helpers.models import graph_of, model_of
from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.entrypoint import FixesPython

TEXT = "g (float[N] x) => (float[N] y) { [one] a = Relu(x)  [two] y = Neg(a) }"
TO_ABS = (
    "def f(graph, op='Abs'):\n for node in graph.nodes:\n  if node.op == 'Relu': node.op = op\n"
)


@pytest.fixture
def fix(tmp_path):
    """Write surgery.py and return the fix by its `f`."""

    def make(code, **options):
        (tmp_path / "surgery.py").write_text(code)
        made = FixesPython(kind="python", entrypoint="surgery.py:f", **options)
        return made.bind(made.find_files(tmp_path))

    return make


def test_a_graph_is_changed_in_place(fix):
    """With options; what became of each node is said, and how far results move."""
    fixed, accounts = apply_fixes(model_of(TEXT), [fix(TO_ABS, options={"op": "Exp"})])

    assert ["Exp", "Neg"] == [node.op_type for node in fixed.graph.node]
    assert ("one: now Exp",) == accounts.fixes[0].changed
    assert "surgery.py:f: 1 Exp more, 1 Relu fewer" == accounts.fixes[0].remarks[0]
    assert "`y` moved by" in accounts.fixes[0].remarks[1]


def test_a_model_can_be_asked_for_and_another_returned(fix):
    """As onnx.ModelProto; here with another output."""
    code = """
import onnx
def f(model):
    return onnx.parser.parse_model('''<ir_version: 10, opset_import: ["" : 18]>
        g (float[N] x) => (float[N] z) { z = Exp(x) }''')
"""
    fixed, accounts = apply_fixes(model_of(TEXT), [fix(code, takes="model")])

    assert (["z"], 18) == (
        [value.name for value in fixed.graph.output],
        fixed.opset_import[0].version,
    )
    assert {"one: gone", "two: gone", "Exp_z: new, Exp"} == set(accounts.fixes[0].changed)


def test_a_promise_of_the_same_results_is_held(fix):
    """Random inputs are not below 0: Abs is Relu there, and Exp is not."""
    apply_fixes(model_of(TEXT), [fix(TO_ABS, same_results=True)])

    with pytest.raises(StepInputError, match="python changes what the model computes"):
        apply_fixes(model_of(TEXT), [fix(TO_ABS.replace("'Abs'", "'Exp'"), same_results=True)])


MISTAKES = {
    r"surgery\.py:2: ZeroDivisionError: division by zero": "def f(graph):\n 1 / 0\n",
    "surgery.py:f: returned int; a graph or a model is needed": "def f(graph): return 3\n",
    "surgery.py:f: cannot be called with the graph and these `options`": "def f(): pass\n",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_told_with_their_place(fix, words):
    """A line of the code, or the callable."""
    with pytest.raises(StepInputError, match=words):
        fix(MISTAKES[words]).apply(graph_of(TEXT))


def test_what_it_leaves_is_checked(fix):
    """As after any other fix, with its name."""
    code = "def f(graph):\n graph.nodes[0].op = 'Add'\n"

    with pytest.raises(StepInputError, match="fix 1, python leaves a model that is not valid"):
        apply_fixes(model_of(TEXT), [fix(code)])


def test_a_library_that_is_missing_is_named(fix):
    """With what installs it."""
    code = "def f(graph):\n import surgery_tools_of_nobody\n"

    with pytest.raises(MissingDependency, match="imports `surgery_tools_of_nobody`") as caught:
        fix(code, packages=("surgery-tools",)).apply(graph_of(TEXT))
    assert "pip install surgery-tools" == caught.value.hint


def test_nobody_foresees_its_inputs(fix):
    """So that nothing is held against what they may not be."""
    spec = TensorSpec(name="x", dtype="float32", shape=(1,))

    assert () == fix(TO_ABS).foresee((spec,))
