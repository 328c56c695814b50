"""Two models that are one but for their weights, and two that are not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.model.same_structure import list_changed_weights, list_differences

ONE = "g (float[2,4] x) => (float[2,3] y) { [fc] a = MatMul(x, w) y = Add(a, b) }"


def made(text=ONE, *, w=0.0, shape=(4, 3), **more):
    weights = {"w": np.full(shape, w, np.float32), "b": np.zeros(3, np.float32)}
    return model_of(text, weights | more)


def test_other_weights_are_no_difference():
    """Those whose values differ are named."""
    one, other = made(), made(w=1.0)
    other.graph.node[0].doc_string = "where it stood in somebody's code"

    assert [] == list(list_differences(one, other))
    assert ("w",) == list_changed_weights(one, other)


SHAPED = "g (float[2,4] x) => (float[n,m] y) { y = Reshape(x, s) }"


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (made(), made(ONE.replace("Add", "Sub")), "(Sub) is another than"),
        (made(), made(ONE.replace("[fc]", "[cf]")), "node `cf` (MatMul) is another than `fc`"),
        (made(), made(c=np.zeros(1, np.float32)), "`c` are only in the new model"),
        (made(), made(b=np.zeros(1, np.float32)), "`b` are of [1], and were of [3]"),
        (made(), made(ONE.replace("2,4", "n,4")), "the inputs are others"),
        (
            made(),
            made(ONE.replace("y = Add(a, b)", "c = Add(a, b) y = Relu(c)")),
            "it has 3 nodes, and the engine's model 2",
        ),
        (
            made(SHAPED, s=np.array([4, 2])),
            made(SHAPED, s=np.array([8, 1])),
            "`s` (int64) has other values, and is no weight",
        ),
    ],
)
def test_what_differs_is_told(one, other, said):
    """A node, a name, a shape; what a kernel rests on."""
    told = list(list_differences(one, other))

    assert any(said in each for each in told), told
