"""Names after the user's modules."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.sources.naming import SCOPES, name_after_modules, strip_remarks


def scoped(text, weights, *scopes):
    """Parse a model, and write scopes on its nodes as the exporter does."""
    model = model_of(text, weights)
    for node, scope in zip(model.graph.node, scopes, strict=True):
        node.metadata_props.add(key=SCOPES, value=repr(scope))
        node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value='File "/home/me/x.py"')
    return model


def names(model):
    return [node.name for node in model.graph.node]


def test_a_node_is_called_after_its_module():
    """Path, then operator; what it makes is its output 0; graph inputs and outputs stay."""
    model = scoped(
        "g (float[N] x) => (float[N] y) { a = Relu(x)  y = Neg(a) }",
        {},
        ["", "layer1", "layer1.0", "layer1.0.relu", "relu_3"],
        ["", "neg"],
    )
    name_after_modules(model, [])

    assert ["/layer1/0/relu/Relu", "/Neg"] == names(model)
    assert (["x"], ["/layer1/0/relu/Relu_output_0"]) == tuple(
        list(node.input) for node in model.graph.node
    )
    assert "y" == model.graph.node[1].output[0]


def test_a_module_used_twice_is_numbered():
    """In graph order, so that the same module is always the same name."""
    model = scoped(
        "g (float[N] x) => (float[N] y) { a = Relu(x)  b = Relu(a)  y = Relu(b) }",
        {},
        *([["", "relu", f"relu_{i}"] for i in range(3)]),
    )
    name_after_modules(model, [])

    assert ["/relu/Relu", "/relu/Relu_1", "/relu/Relu_2"] == names(model)


KERNEL = np.zeros((2, 1, 1, 1), np.float32)


def test_a_folded_convolution_goes_by_its_weight():
    """The exporter calls it after the batch norm that it swallowed; the weight knows better."""
    model = scoped(
        "g (float[N, 1, 4, 4] x) => (float[N, 2, 4, 4] y) { y = Conv(x, conv_weight, val_7) }",
        {"conv_weight": KERNEL, "val_7": np.zeros(2, np.float32)},
        ["", "stem", "stem.bn", "_native_batch_norm_legit_no_training"],
    )
    weight = model.graph.initializer[0]
    weight.name = model.graph.node[0].input[1] = "stem.conv.weight"
    name_after_modules(model, ["stem.conv.weight", "stem.bn.weight"])

    assert ["/stem/conv/Conv"] == names(model)
    assert ["stem.conv.weight", "stem.conv.bias"] == [t.name for t in model.graph.initializer]


def test_other_constants_go_by_their_first_reader():
    """`val_94` becomes the input of a node that people know."""
    model = scoped(
        "g (float[N, 4] x) => (float[2, M] y) { y = Reshape(x, val_94) }",
        {"val_94": np.array([2, -1])},
        ["", "head", "view"],
    )
    name_after_modules(model, [])

    assert ["/head/Reshape_input_1"] == [tensor.name for tensor in model.graph.initializer]


@pytest.mark.parametrize(
    "scope",
    ["[]", "['', 'sym_size_int_1']", "['_empty_nn_module_stack_from_metadata_hook', 'sym']"],
)
def test_what_belongs_to_no_module_stands_at_the_top(scope):
    """Arithmetic on shapes, and functions called in the outermost forward."""
    model = model_of("g (float[N] x) => (float[N] y) { y = Relu(x) }")
    model.graph.node[0].metadata_props.add(key=SCOPES, value=scope)
    name_after_modules(model, [])

    assert ["/Relu"] == names(model)


def test_a_name_never_meets_another():
    """An input that is already called like a result makes the result step aside."""
    model = scoped(
        "g (float[N] x) => (float[N] y) { a = Relu(x)  y = Neg(a) }",
        {},
        ["", "relu"],
        ["", "neg"],
    )
    model.graph.input[0].name = model.graph.node[0].input[0] = "/Relu_output_0"
    name_after_modules(model, [])

    assert "/Relu_output_0_1" == model.graph.node[0].output[0]
    onnx.checker.check_model(model)


def test_what_clashes_with_inputs_and_outputs_steps_aside():
    """An inner tensor, a parameter, an input of a body: the ends have the names they are given."""
    model = scoped(
        """g (float[N] a, bool c) => (float[N] b) { relu = Relu(a)  p = Add(relu, mask)
        b = If (c) <then_branch = t () => (float[N] q) { q = Neg(p) },
                    else_branch = e () => (float[N] q) { q = Abs(p) }> }""",
        {"mask": np.zeros(1, np.float32)},
        ["", "relu"],
        ["", "add"],
        ["", "cond"],
    )
    name_after_modules(model, ["mask"], {"a": "mask", "c": "p", "b": "relu"})
    onnx.checker.check_model(model, full_check=True)
    ends = [value.name for value in (*model.graph.input, *model.graph.output)]

    assert ["mask", "p", "relu"] == ends
    assert ["/Relu_output_0", "mask_1"] == list(model.graph.node[1].input)


def test_branches_see_the_new_names():
    """What a branch reads from outside is renamed with it."""
    model = scoped(
        """g (float[N] x, bool c) => (float[N] y) { a = Relu(x)
        y = If (c) <then_branch = t () => (float[N] p) { p = Neg(a) },
                    else_branch = e () => (float[N] p) { p = Abs(a) }> }""",
        {},
        ["", "relu", "relu"],
        ["", "cond"],
    )
    name_after_modules(model, [])
    branches = [attribute.g for attribute in model.graph.node[1].attribute]

    assert ["/relu/Relu_output_0"] * 2 == [branch.node[0].input[0] for branch in branches]
    onnx.checker.check_model(model, full_check=True)


def test_remarks_of_the_machine_are_stripped():
    """No path, no stack trace, no local version: the bytes say nothing of where they were made."""
    model = scoped("g (float[N] x) => (float[N] y) { y = Relu(x) }", {}, ["", "relu"])
    model.producer_version, model.doc_string = "2.13.0+cpu", "/home/me"
    model.graph.doc_string = model.graph.node[0].doc_string = "/home/me/x.py"
    model.graph.input[0].metadata_props.add(key="path", value="/home/me")
    strip_remarks(model)

    assert b"/home/me" not in model.SerializeToString()
    assert "" == model.producer_version
