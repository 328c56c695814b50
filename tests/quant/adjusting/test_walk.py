from __future__ import annotations

import numpy as np

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal, seeded
from trtbuild.model.weights_file import make_tensor
from trtbuild.quant.adjusting.walk import Walk

MODEL = """g (float[N,4] x) => (float[N,4] y) {
    a = MatMul(x, w)  r = Relu(a)  b = MatMul(r, v)  s = Add(b, x)  y = MatMul(s, w)
}"""


def network():
    return seeded(MODEL, w=(4, 4), v=(4, 4))


def test_pieces_make_what_the_whole_makes():
    """Of each sample, whatever the number of threads."""
    feeds = [{"x": normal(2, 4, seed=seed)} for seed in range(3)]
    walk = Walk(network(), feeds, ["r", "y"], threads=2)

    walk.advance("r")
    walk.advance("y")

    expected = [outputs_of(network(), feed)["y"] for feed in feeds]
    np.testing.assert_allclose(expected, list(walk.values("y")), rtol=1e-5)


def test_a_constant_that_changes_counts_from_there_on():
    """What was computed before stays."""
    feed = {"x": normal(2, 4)}
    walk = Walk(network(), [feed], ["a", "y"])

    walk.advance("a")
    walk.set_constant(make_tensor(np.zeros((4, 4), np.float32), "v"))
    walk.advance("y")

    (found,) = walk.values("y")
    weights = dict.fromkeys(("w",), normal(4, 4, seed=0) / np.float32(2))
    assert np.allclose(feed["x"] @ weights["w"], found, atol=1e-6)


def test_what_is_kept_can_be_shifted():
    """As if its bias had been another."""
    feed = {"x": np.ones((1, 4), np.float32)}
    text = "g (float[N,4] x) => (float[N,4] y) { a = Identity(x)  y = Neg(a) }"
    walk = Walk(model_of(text), [feed], ["a", "y"])

    walk.advance("a")
    walk.shift("a", np.arange(4, dtype=np.float32))
    walk.advance("y")

    assert [[[-1, -2, -3, -4]]] == [found.tolist() for found in walk.values("y")]


def test_nothing_is_kept_that_nobody_will_read():
    """Memory is what is between the pieces, not all that was made."""
    walk = Walk(network(), [{"x": normal(2, 4)}], ["b", "y"])

    walk.advance("b")
    assert {"b", "x"} == set(walk._held[0])
    walk.advance("y")
    assert {"y"} == set(walk._held[0])


def test_samples_that_take_too_much_memory_are_left_out():
    """The last ones, from the piece on that shows how much a sample takes."""
    feeds = [{"x": normal(2, 4, seed=seed)} for seed in range(5)]
    walk = Walk(network(), feeds, ["a", "y"], limit_bytes=3 * 64)

    walk.advance("a")

    assert 3 == len(walk)  # 32 bytes of x, which is read again, and as many of a


def test_a_body_reads_what_stands_outside():
    """It is there when the node with the body runs."""
    text = """g (float[N,2] x, bool c) => (float[N,2] y) {
        a = Neg(x)  b = Relu(x)
        y = If(c) <then_branch = t () => (float[N,2] u) { u = Add(a, b) },
                   else_branch = e () => (float[N,2] u) { u = Identity(a) }>
    }"""
    feed = {"x": np.array([[1, -2]], np.float32), "c": np.array(True)}
    walk = Walk(model_of(text), [feed], ["b", "y"])

    walk.advance("b")
    walk.advance("y")

    assert [[[0, 2]]] == [found.tolist() for found in walk.values("y")]
