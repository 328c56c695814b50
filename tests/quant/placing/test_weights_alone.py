"""Which weights are quantized where activations stay float."""

from __future__ import annotations

from tests.helpers.quant import seeded
from trtbuild.core.quantized_types import INT4
from trtbuild.quant.placing.weights_alone import place_weights
from trtbuild.quant.requests import PrecisionRequests

REFUSED = """
g (float[2,48] x, float[1,4,8,8] p, float[48,48] z) => (float y, float q, float t, float u) {
    [odd] y = MatMul(x, w)  [conv] q = Conv(p, k)  [both] t = MatMul(x, z)  [kept] u = MatMul(x, v)
}"""


def test_what_has_no_such_weight_says_why():
    """No whole blocks, a Conv, no weight at all, and what the recipe leaves out."""
    model = seeded(REFUSED, w=(48, 8), k=(4, 4, 1, 1), v=(48, 8))
    requests = PrecisionRequests(("kept",))
    found = place_weights(model, into=INT4, block=32, requests=requests)

    assert {
        "odd": "its 48 inputs are no multiple of 32, the size of a block",
        "conv": "INT4 is for the weights of Gemm and MatMul",
        "both": "it has no weight, and INT4 is for weights",
        "kept": "skipped by the recipe: `kept`",
    } == {each.name: each.reason for each in found.layers}


def test_a_weight_of_two_readers_is_stored_once_for_each_axis():
    """What is the inputs of one are the channels of the other, which reads it turned."""
    text = """g (float[2,32] x) => (float y, float z, float u) {
        [one] y = MatMul(x, w)  [same] z = MatMul(x, w)  [turned] u = Gemm<transB=1>(x, w)
    }"""
    found = place_weights(seeded(text, w=(32, 32)), into=INT4, block=32)

    assert [("w", 0, 2, 32), ("w", 1, 1, 32)] == [
        (each.tensor, each.axis, len(each.sites), each.block) for each in found.weights
    ]
    assert () == found.pairs
