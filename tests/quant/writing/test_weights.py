from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal
from trtbuild.core.quantized_types import INT4
from trtbuild.quant.writing.weights import WeightsMse, quantize_weight


def test_the_largest_value_of_a_channel_becomes_127():
    """Rows of [1, -2] and [0.5, 0.25]: scales 2/127 and 0.5/127, halves round to even."""
    found = quantize_weight(np.array([[1, -2], [0.5, 0.25]], np.float32), axis=0)

    assert [[64, -127], [127, 64]] == found.values.tolist()  # 63.5 rounds to 64, its even side
    assert np.float32([2 / 127, 0.5 / 127]).tolist() == found.scales.tolist()


def test_the_axis_decides_which_values_share_a_scale():
    """Columns of the same matrix: 1 and 0.5 share one, -2 and 0.25 the other."""
    found = quantize_weight(np.array([[1, -2], [0.5, 0.25]], np.float32), axis=1)

    assert [[127, -127], [64, 16]] == found.values.tolist()


def test_a_dead_channel_has_scale_one_and_zeros():
    """Zeros, and values too small for a normal scale, are listed and stay representable."""
    found = quantize_weight(np.array([[0, 0], [1, 2], [1e-38, 0]], np.float32), axis=0)

    assert (0, 2) == found.dead
    assert [1, 1] == found.scales[[0, 2]].tolist()
    assert [0, 0, 0, 0] == found.values[[0, 2]].ravel().tolist()


def test_a_tiny_channel_is_listed_and_keeps_its_values():
    """Under a millionth of the largest value, yet exact in its own scale."""
    found = quantize_weight(np.array([[1e-7, 5e-8], [1, 2]], np.float32), axis=0)

    assert (0,) == found.tiny
    assert [127, 64] == found.values[0].tolist()


def test_a_weight_of_zeros_is_dead_throughout():
    """No channel is tiny beside nothing."""
    found = quantize_weight(np.zeros((2, 3), np.float32), axis=1)

    assert ((0, 1, 2), ()) == (found.dead, found.tiny)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_must_be_finite(value):
    """Wherever the odd value stands."""
    with pytest.raises(ValueError, match="a NaN or an infinity"):
        quantize_weight(np.array([[1, 2], [value, 3]], np.float32), axis=0)


@given(
    hnp.arrays(np.float32, (3, 4), elements=st.floats(-(2.0**90), 2.0**90, width=32)),
    st.sampled_from([0, 1]),
)
def test_stored_values_are_those_of_a_quantize_node(weight, axis):
    """Storing INT8 changes nothing against a float weight behind QuantizeLinear."""
    found = quantize_weight(weight, axis)
    model = model_of(
        f"""g (float[3,4] w) => (int8[3,4] q, float[3,4] y) {{
            q = QuantizeLinear<axis={axis}>(w, s, z)  y = DequantizeLinear<axis={axis}>(q, s, z)
        }}""",
        {"s": found.scales, "z": np.zeros(found.scales.shape, np.int8)},
    )
    outputs = outputs_of(model, {"w": weight})

    assert outputs["q"].tolist() == found.values.tolist()
    along = np.expand_dims(found.scales, 1 - axis)
    assert (np.abs(weight - outputs["y"]) <= along * 0.5001).all()


@pytest.mark.parametrize(("count", "limit", "values"), [(10, 8, [127, 2]), (50_000, 4, [127, 3])])
def test_the_least_squared_error_decides_whether_to_clip(count, limit, values):
    """An 8, and many values that are 1.5 steps under a limit of 8 and 3 under one of 4.

    Clipping the 8 to 4 costs 16; half a step under 8, squared, costs 0.001 for each of the many.
    """
    row = np.array([[8.0] + [12 / 127] * count], np.float32)
    found = quantize_weight(row, 0, WeightsMse(kind="mse", steps=2, lowest=0.5))

    assert np.float32(limit) / np.float32(127) == found.scales[0]
    assert values == found.values[0, :2].tolist()


def test_weights_on_a_grid_are_left_exact():
    """Where absmax makes no error nothing smaller is taken."""
    row = np.arange(-127, 128, dtype=np.float32)[None]

    assert row.tolist() == quantize_weight(row, 0, WeightsMse(kind="mse")).values.tolist()


@pytest.mark.parametrize("factor", [2.0**-90, 2.0**90])
def test_the_search_is_scale_equivariant(factor):
    """A power of two on the weights is one on the scales, even where squares would vanish."""
    weight = normal(3, 50)
    plain = quantize_weight(weight, 0, WeightsMse(kind="mse"))
    scaled = quantize_weight(weight * np.float32(factor), 0, WeightsMse(kind="mse"))

    assert (plain.scales * np.float32(factor)).tolist() == scaled.scales.tolist()
    assert plain.values.tolist() == scaled.values.tolist()


def test_a_row_of_zeros_is_dead_under_any_scaling():
    """The search divides by nothing."""
    assert (0,) == quantize_weight(np.zeros((1, 4), np.float32), 0, WeightsMse(kind="mse")).dead


def test_int4_reaches_further_below_zero_where_that_errs_less():
    """[-8, 4] has the scale 1 nearly, and not 8/7; [8, -4] has none that does as well."""
    mse = WeightsMse(kind="mse")
    rows = np.array([[-8, 4, 1, 2], [8, -4, -1, -2]], np.float32)
    found = quantize_weight(rows, 0, mse, into=INT4)

    assert [-8, 7] == [int(row[0]) for row in found.values.astype(np.int8)]
    assert 1.0 == pytest.approx(found.scales[0], rel=0.02)
