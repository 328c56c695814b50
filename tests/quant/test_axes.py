from __future__ import annotations

import pytest

from tests.helpers.quant import seeded
from trtbuild.model.view import GraphView
from trtbuild.quant.axes import find_output_axis


@pytest.mark.parametrize(
    ("body", "shape", "axis"),
    [
        ("y = MatMul(x, w)", (4, 4), 1),
        ("y = MatMul(w, x)", (4, 4), 0),
        ("y = MatMul(x, w)", (3, 4, 4), 2),
        ("y = Gemm(x, w)", (4, 4), 1),
        ("y = Gemm<transB=1>(x, w)", (4, 4), 0),
        ("y = Gemm(w, x)", (4, 4), 0),
        ("y = Gemm<transA=1>(w, x)", (4, 4), 1),
        ("t = Transpose(w)  y = MatMul(x, t)", (4, 4), 0),
        ("t = Transpose<perm=[2,0,1]>(w)  y = MatMul(x, t)", (4, 4, 3), 1),
        ("i = Identity(w)  y = MatMul(x, i)", (4, 4), 1),
        ("y = Add(x, w)", (4, 4), None),
        ("a = MatMul(x, w)  y = Gemm<transB=1>(a, w)", (4, 4), None),
        ("a = MatMul(x, w)  y = Add(a, w)", (4, 4), None),
    ],
)
def test_the_axis_of_output_channels_depends_on_the_reader(body, shape, axis):
    """Through transposition too; readers that disagree, or read no weight, have none."""
    model = seeded(f"g (float[4,4] x) => (float y) {{ {body} }}", w=shape)

    assert axis == find_output_axis(GraphView(model), "w")


@pytest.mark.parametrize(("op", "axis"), [("Conv", 0), ("ConvTranspose", 1)])
def test_convolutions_have_it_first_or_second(op, axis):
    """[out, in, ...] and [in, out, ...]."""
    model = seeded(
        f"g (float[1,4,5,5] x) => (float[1,4,5,5] y) {{ y = {op}(x, w) }}", w=(4, 4, 1, 1)
    )

    assert axis == find_output_axis(GraphView(model), "w")
