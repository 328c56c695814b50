"""simplify: what onnxslim does, held to what the model computed before."""

from __future__ import annotations

import sys

import pytest

from tests.helpers.models import graph_of, model_of
from trtbuild.core.errors import MissingDependency
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.simplify import Simplify

SIMPLIFY = Simplify(kind="simplify")
TEXT = """g (float[2, 3, 4] x) => (float[2, 12] y)
    <int64[1] m = {-1}, int64[1] z = {0}, int64 zz = {0}> {
    s = Shape(x)  n = Gather(s, zz)  u = Unsqueeze(n, z)  t = Concat<axis = 0>(u, m)
    [flat] f = Reshape(x, t)  a = Identity(f)  y = Relu(a) }"""


def test_shapes_that_are_computed_become_constants():
    """And what returns its input goes; ends and names of what stays are kept."""
    pytest.importorskip("onnxslim")
    fixed, accounts = apply_fixes(model_of(TEXT), [SIMPLIFY])

    assert ["flat", "Relu_y"] == [node.name for node in fixed.graph.node]
    assert accounts.fixes[0].remarks[0].startswith("simplify: 7 nodes → 2 (fewer: ")


def test_a_quantized_model_is_left_alone():
    """Its constants would be computed, and the pairs be lost."""
    log = SIMPLIFY.apply(
        graph_of(
            """g (float[N] x) => (float[N] y) <float s = {0.5}, int8 z = {0}> {
            q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z) }"""
        )
    )

    assert ["simplify: the model is left as it is: it is quantized"] == log.remarks


def test_without_onnxslim_it_says_what_to_install(monkeypatch):
    """As every optional library."""
    monkeypatch.setitem(sys.modules, "onnxslim", None)

    with pytest.raises(MissingDependency) as caught:
        SIMPLIFY.apply(graph_of(TEXT))
    assert 'pip install "trtbuild[simplify]"' == caught.value.hint
