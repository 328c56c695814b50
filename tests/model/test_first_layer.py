"""What a model itself tells of what it is fed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.model.first_layer import find_first_normalization, find_own_scaling
from trtbuild.model.session import open_session

NET = """
g (float[4,3,5,5] x) => (float[N,2,5,5] y)
<float[2,3,1,1] w = {1, 2, 3, 4, 5, 6}, float[2] s = {1, 1}, float[2] b = {0, 0},
 float[2] m = {7, 8}, float[2] v = {4, 9}, float half = {0.5}>
{ t = Mul(x, half)
  c = Conv(t, w)
  n = BatchNormalization <epsilon = 0.0> (c, s, b, m, v)
  y = Relu(n) }
"""


def test_the_first_layer_remembers_its_training():
    """Mean and deviation of its channels; the part up to it runs by itself, for any batch."""
    found = find_first_normalization(model_of(NET), "x")
    assert found is not None
    ran = open_session(found.model.SerializeToString(), threads=1).run(
        {"x": np.ones((1, 3, 5, 5), np.float32)}
    )

    assert ([7.0, 8.0], [2.0, 3.0]) == (found.mean.tolist(), found.deviation.tolist())
    assert [3.0, 7.5] == ran[found.tensor][0, :, 0, 0].tolist()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("n = BatchNormalization <epsilon = 0.0> (c, s, b, m, v)", "n = Identity(c)"),
        ("c = Conv(t, w)", "c = MaxPool <kernel_shape = [1, 1]> (t)"),
        ("y = Relu(n)", "y = Add(n, c)"),
    ],
)
def test_a_folded_normalization_tells_nothing(old, new):
    """Nor one that is not the first layer's, or does not read it alone."""
    model = model_of(NET.replace(old, new).replace("c, s", "c, s"))

    assert find_first_normalization(model, "x") is None


@pytest.mark.parametrize(
    ("number", "op", "node"),
    [("255", "Div", "Div_0"), ("0.00392157", "Mul", "Mul_0"), ("0.5", "Mul", ""), ("0", "Div", "")],
)
def test_a_model_that_scales_itself_is_seen(number, op, node):
    """By a division through about 255, or the product that is one."""
    text = NET.replace("{0.5}", f"{{{number}}}").replace("t = Mul", f"t = {op}")
    model = model_of(text)
    model.graph.node[0].name = f"{op}_0"

    assert node == find_own_scaling(model, "x")
