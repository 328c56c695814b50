"""Which operands stand and fall with which layer."""

from __future__ import annotations

import pytest

from tests.helpers.quant import seeded
from trtbuild.model.view import GraphView
from trtbuild.quant.switching.switches import find_switches

JOINED = """
g (float[N, 4] x) => (float[N, 8] y, float[N, 4] z, float[N, 4] n)
<float[4, 4] a, float[4, 4] b, float[8, 8] c> {
  p = MatMul(x, a)
  q = MatMul(x, b)
  z = MatMul(p, a)
  j = Concat <axis = 1> (p, q)
  y = MatMul(j, c)
  n = Neg(x)
}
"""
P, Q, Z, J, Y, N = range(6)
SITES = {(P, 0), (P, 1), (Q, 0), (Q, 1), (Z, 0), (Z, 1), (J, 0), (Y, 0), (Y, 1), (N, 0)}


@pytest.fixture
def switches():
    return find_switches(
        GraphView(seeded(JOINED, a=(4, 4), b=(4, 4), c=(8, 8))), SITES, {P, Q, Z, Y}
    )


def test_a_layer_has_its_own_operands(switches):
    """Alone in INT8 it reads them so, and nothing else does."""
    assert {(Q, 0), (Q, 1)} == switches.find_active({Q}, alone=True)


def test_what_hands_int8_on_needs_both_ends(switches):
    """A Concat reads the pair of what one layer reads and passes it to what another does."""
    assert (J, 0) in switches.find_active({Z, Y})
    assert (J, 0) not in switches.find_active({Y})
    assert (J, 0) not in switches.find_active({Z})


def test_what_belongs_to_no_layer_is_on_unless_one_is_alone(switches):
    """Such as the operand of a Neg that a model brought along."""
    assert {(N, 0)} == switches.others
    assert {(N, 0)} == switches.find_active(())
    assert (N, 0) not in switches.find_active({P}, alone=True)
