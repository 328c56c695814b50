from __future__ import annotations

import numpy as np

from tests.helpers.quant import normal, observed, seeded
from trtbuild.quant.adjusting.layers import find_layers
from trtbuild.quant.adjusting.reconstruct import reconstruct
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.writing.weights import quantize_weight

TEXT = "g (float[N,6] x) => (float[N,3] y) { [one] y = MatMul(x, w) }"


def read(count=300, rank=2):
    """Return the layer, its float weight, its integers, its input in INT8 and its output."""
    x = normal(count, rank) @ normal(rank, 6, seed=1)
    model = seeded(TEXT, w=(6, 3))
    weight = normal(6, 3) / np.float32(np.sqrt(6))
    made = quantize_model(model, ranges=observed(model, {"x": x})).model
    (layer,) = find_layers(made)
    integers = np.clip(np.rint(x / layer.input_scale), -128, 127).astype(np.int8)
    return layer, weight, quantize_weight(weight, 1).values, integers, x @ weight


def test_the_output_is_nearer_to_the_float_one():
    """By what it says itself, and by the integers that it returns."""
    layer, weight, nearest, integers, made = read()

    found = reconstruct(
        layer, layer.form, (weight, nearest), [(integers, made)], count=1, centred=False
    )

    scales = layer.weight_linear.scale * layer.input_scale
    errors = [
        np.square(integers.astype(float) @ each * scales - made).mean()
        for each in (nearest, found.weight)
    ]
    assert found.after < found.before
    assert np.allclose(errors, [found.before, found.after], rtol=1e-2)
    assert found.turned == np.mean(found.weight != nearest)


def test_nothing_is_changed_where_nothing_was_seen():
    """No sample has a row, or the output is not finite."""
    layer, weight, nearest, integers, made = read()
    for seen in ([(integers[:0], made[:0])], [(integers, np.full_like(made, np.nan))]):
        assert (
            reconstruct(layer, layer.form, (weight, nearest), seen, count=1, centred=False) is None
        )


def test_of_long_samples_some_rows_are_enough(monkeypatch):
    """Spread over each, and the same every time."""
    monkeypatch.setattr("trtbuild.quant.adjusting.reconstruct.ROWS", 40)
    layer, weight, nearest, integers, made = read()
    samples = [(integers, made)] * 2

    one, other = (
        reconstruct(layer, layer.form, (weight, nearest), samples, count=2, centred=True)
        for _ in range(2)
    )

    assert np.array_equal(one.weight, other.weight)
    assert one.after == other.after
