from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal
from trtbuild.model.view import GraphView
from trtbuild.quant.adjusting.patches import read_form

LAYERS = {
    "Conv<pads=[1, 0, 2, 1], strides=[2, 1], dilations=[1, 2]>": ((2, 4, 7, 8), (6, 4, 3, 2)),
    "Conv<group=2>": ((1, 4, 5, 5), (6, 2, 3, 3)),
    "Conv<group=4, pads=[1, 1, 1, 1]>": ((1, 4, 5, 5), (4, 1, 3, 3)),
    "Conv<strides=[3]>": ((2, 3, 9), (5, 3, 2)),
    "MatMul": ((2, 3, 4), (4, 5)),
    "Gemm<transB=1, alpha=0.5>": ((3, 4), (5, 4)),
    "Gemm<transA=1>": ((4, 3), (4, 5)),
}


def made(text, x, w, *, left=False):
    operands = "w, x" if left else "x, w"
    op, _, attributes = text.partition("<")
    call = f"{op}{'<' + attributes if attributes else ''}({operands})"
    rank = ", ".join("abcd"[: x.ndim])
    model = model_of(f"g (float[{rank}] x) => (float[{rank}] y) {{ y = {call} }}", {"w": w})
    view = GraphView(model)
    return read_form(view, view.nodes[0], 0 if left else 1), outputs_of(model, {"x": x})["y"]


@pytest.mark.parametrize("text", LAYERS)
def test_an_output_is_a_sum_over_its_row(text):
    """Whatever the layout: weight · row, at some places, is what the runtime makes there."""
    x, w = (normal(*shape, seed=i) for i, shape in enumerate(LAYERS[text]))
    form, y = made(text, x, w)
    places = np.arange(0, form.count_rows(y), 2)

    rows = form.read_inputs(x, y, places)
    found = np.einsum("gok,rgk->rgo", form.split_weight(w), rows) * form.factor

    assert np.allclose(found, form.read_outputs(y, places), atol=1e-5)
    assert np.array_equal(w, form.join_weight(form.split_weight(w), w.shape))


def test_a_weight_on_the_left_reads_columns():
    """w · x: the channels of the output are its rows."""
    x, w = normal(4, 6), normal(5, 4, seed=1)
    form, y = made("MatMul", x, w, left=True)

    rows = form.read_inputs(x, y, np.array([1, 3]))

    assert np.allclose((rows[:, 0] @ w.T).T, y[:, [1, 3]], atol=1e-5)


@pytest.mark.parametrize(
    ("text", "shape"),
    [('Conv<auto_pad="SAME_UPPER">', (3, 4, 3, 3)), ("ConvTranspose", (4, 3, 2, 2))],
)
def test_other_layouts_are_left(text, shape):
    """They have no rows here."""
    assert made(text, normal(1, 4, 6, 6), normal(*shape))[0] is None
