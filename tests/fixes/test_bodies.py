"""Bodies of operators: ONNX's, ours, and those that nobody knows."""

from __future__ import annotations

import pytest
from onnx import helper

from trtbuild.fixes.bodies import CalledNode, find_body


def body_of(op, opset=18, domain="", inputs=("x",), **attributes):
    node = helper.make_node(op, list(inputs), ["y"], domain=domain, **attributes)
    return find_body(CalledNode(node, opset, [b"" for _ in inputs]), "body")


def test_a_body_has_the_opset_of_the_model():
    """It is to be put in the place of the node."""
    body = body_of("Mish", 20)

    assert ("body", 20) == (body.name, body.opset_import[0].version)
    assert ["Softplus", "Tanh", "Mul"] == [node.op_type for node in body.node]


def test_our_own_are_for_the_domain_they_are_of():
    """FastGelu is ONNX Runtime's."""
    assert body_of("FastGelu", domain="com.microsoft") is not None
    assert body_of("FastGelu") is None


UNKNOWN = {
    "an activation": (
        "FusedConv",
        {"inputs": ("x", "w"), "domain": "com.microsoft", "activation": "Gelu"},
    ),
    "an axis": (
        "SimplifiedLayerNormalization",
        {"inputs": ("x", "g"), "axis": 1},
    ),
    "the opset": ("HardSigmoid", {"opset": 12}),
    "the whole operator": ("Det", {}),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_forms_that_are_not_written_down_have_none(what):
    """None is better than a wrong one."""
    op, more = UNKNOWN[what]

    assert body_of(op, **more) is None
