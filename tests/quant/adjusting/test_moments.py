from __future__ import annotations

import numpy as np

from trtbuild.quant.adjusting.moments import Moments


def filled(inputs, outputs, parts=1):
    moments = Moments(inputs.shape[1], inputs.shape[2], outputs.shape[2])
    for some, made in zip(
        np.array_split(inputs, parts), np.array_split(outputs, parts), strict=True
    ):
        moments.add(some, made)
    return moments


def test_means_are_those_of_the_rows():
    """Of x 1 and 3 and y 2 and 4: x² 5, xy 7, y² 10; less the means 2 and 3: 1 each."""
    inputs = np.array([1, 3], np.int8).reshape(2, 1, 1)
    outputs = np.array([2, 4], np.float32).reshape(2, 1, 1)

    whole = filled(inputs, outputs).finish(centred=False)
    centred = filled(inputs, outputs).finish(centred=True)

    assert [5, 7, 10] == [round(float(each.squeeze()), 3) for each in whole]
    assert [1, 1, 1] == [round(float(each.squeeze()), 3) for each in centred]


def test_no_order_of_the_rows_changes_a_bit():
    """Nor how many are added at a time: all sums are of integers."""
    rng = np.random.default_rng(0)
    inputs = rng.integers(-128, 128, size=(3000, 2, 5)).astype(np.int8)
    outputs = rng.normal(size=(3000, 2, 3)).astype(np.float32)
    outputs[0] = np.abs(outputs).max()  # the first rows decide how fine the grid is
    order = [0, *(1 + rng.permutation(2999))]

    one = filled(inputs, outputs).finish(centred=True)
    other = filled(inputs[order], outputs[order], parts=7).finish(centred=True)

    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_outputs_in_other_units():
    """Twice the unit is half the number."""
    means = filled(np.ones((2, 1, 1), np.int8), np.full((2, 1, 1), 6, np.float32))

    found = means.finish(centred=False).in_units(np.array([[2.0]]))

    assert (3, 9) == (found.products.item(), found.powers.item())
