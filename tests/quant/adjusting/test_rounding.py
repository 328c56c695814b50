from __future__ import annotations

import itertools

import numpy as np
import pytest

from trtbuild.quant.adjusting.moments import Moments
from trtbuild.quant.adjusting.rounding import measure_errors, round_jointly


def means_of(inputs, targets):
    """Return the means of rows [row, k] and what is to be made of them [row, out]."""
    moments = Moments(1, inputs.shape[1], targets.shape[1])
    moments.add(inputs[:, None].astype(np.int8), targets[:, None].astype(np.float32))
    return moments.finish(centred=False)


def best_of_all(exact, inputs):
    """Return the least mean square that any choice of up and down makes, by trying them all."""
    choices = itertools.product(*((np.floor(w), np.ceil(w)) for w in exact))
    return min(np.square(inputs @ (np.array(choice) - exact)).mean() for choice in choices)


def test_two_inputs_that_are_one_are_rounded_against_each_other():
    """x + x at weights 0.4 each is 0.8 x: 1 and 0 make x, where the nearest two make nothing."""
    x = np.arange(1, 9)
    inputs, exact = np.stack([x, x], axis=1), np.array([[[0.4, 0.4]]])

    found = round_jointly(exact, means_of(inputs, inputs @ exact[0].T))

    assert 1 == found.sum()


def test_comes_near_the_best_of_all_choices():
    """Of 256 ways to round 8 weights: four fifths of what the nearest one loses are got back."""
    lost = np.zeros(2)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        mixed = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 8)) * 20
        inputs = np.rint(mixed + rng.normal(size=(400, 8))).clip(-127, 127)
        exact = rng.normal(size=8) * 20
        means = means_of(inputs, (inputs @ exact)[:, None])
        choices = [np.rint(exact)[None, None], round_jointly(exact[None, None], means)]
        errors = [np.square(inputs @ (each[0, 0] - exact)).mean() for each in choices]
        lost += (np.array(errors) - best_of_all(exact, inputs)) / errors[0]

    assert lost[1] < 0.2 * lost[0]


def test_says_what_is_wrong_with_the_output():
    """E (q·x - y)², of x 2 and 4, q 3 and y 7 and 10: (6 - 7)² and (12 - 10)²."""
    means = means_of(np.array([[2], [4]]), np.array([[7], [10]]))

    assert pytest.approx(2.5, rel=1e-3) == measure_errors(np.full((1, 1, 1), 3.0), means).item()


def test_inputs_that_have_nothing_in_common_are_rounded_to_the_nearest():
    """Nothing can be made up for then."""
    exact = np.array([[[0.4, 1.6, -2.3, 126.9]]])
    inputs = 10 * np.eye(4)

    assert [[[0, 2, -2, 127]]] == round_jointly(
        exact, means_of(inputs, inputs @ exact[0].T)
    ).tolist()


def test_stays_within_int8_and_next_to_the_exact_value():
    """What was clipped stays so, whatever the output would like."""
    exact = np.array([[[140.0, 0.5, -0.5, 3.0]]])
    inputs = np.random.default_rng(0).integers(-127, 128, size=(50, 4))

    found = round_jointly(exact, means_of(inputs, 5 * inputs @ exact[0].T))[0, 0]

    assert (127, 3) == (found[0], found[3])
    assert found[1] in {0, 1}
    assert found[2] in {-1, 0}


def test_an_input_that_is_always_zero_decides_nothing():
    """Its weight is the nearest."""
    means = means_of(np.zeros((5, 2)), np.zeros((5, 1)))

    assert [[[2, -1]]] == round_jointly(np.array([[[1.7, -1.2]]]), means).tolist()


def test_groups_do_not_mix():
    """Two groups at once are what each is alone."""
    rng = np.random.default_rng(1)
    inputs, exact = rng.integers(-90, 90, size=(60, 2, 5)), rng.normal(size=(2, 3, 5)) * 9
    made = np.einsum("rgk,gok->rgo", inputs, exact)
    both, alone = Moments(2, 5, 3), Moments(1, 5, 3)
    both.add(inputs.astype(np.int8), made.astype(np.float32))
    alone.add(inputs[:, 1:].astype(np.int8), made[:, 1:].astype(np.float32))

    together = round_jointly(exact, both.finish(centred=False))

    assert np.array_equal(together[1:], round_jointly(exact[1:], alone.finish(centred=False)))
