"""Which inputs decide shapes."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from trtbuild.model.shape_inputs import find_shape_inputs

HEAD = "m (float[1, 2] x, int64[2] s, int64 n, float[2] f) => (float[M, N] y)"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("y = Reshape(x, s)", {"s": "y (Reshape)"}),
        ("y = Expand(x, s)", {"s": "y (Expand)"}),
        ("[up] y = Resize(x, , , s)", {"s": "up (Resize)"}),
        ("c = Cast<to = 7>(f)  y = Tile(x, c)", {"f": "y (Tile)"}),
        ("z = Sub(n, n)  r = Range(z, n, n)  y = Cast<to = 1>(r)", {"n": "r (Range)"}),
        ("h = Shape(x)  t = Mul(h, s)  y = Expand(x, t)", {"s": "y (Expand)"}),
        ("h = Shape(f)  y = Expand(x, h)", {}),
        ("a = Relu(f)  c = Cast<to = 7>(a)  y = Expand(x, c)", {}),
        ("g = Cast<to = 1>(s)  y = Add(x, g)", {}),
        ("y = Gather(x, n)", {}),
    ],
)
def test_an_input_that_decides_a_size_is_found(body, found):
    """Through arithmetic of sizes, not through the shape of a tensor, nor through a layer."""
    assert found == find_shape_inputs(model_of(f"{HEAD} {{ {body} }}"))
