"""Whether a figure that moved says anything."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.measure.bits import read_bits, write_bits
from trtbuild.measure.noise import judge_movement, judge_pairs


@pytest.mark.parametrize(
    ("expected", "metric", "before", "after"),
    [
        ("same", "top1", 0.9, 0.9),
        ("noise", "top1", 0.90, 0.91),
        ("better", "top1", 0.90, 0.92),
        ("noise", "sqnr_db", 23.0, 22.95),
        ("worse", "sqnr_db", 23.0, 22.8),
        ("noise", "cosine", 0.99, 0.98985),
        ("worse", "cosine", 0.99, 0.98),
        ("better", "max_abs", 0.5, 0.4),
        ("worse", "max_abs", 0.0, 0.4),
        ("unknown", "nobody_knows", 1.0, 2.0),
    ],
)
def test_a_figure_is_judged_by_its_resolution_or_its_error(expected, metric, before, after):
    """A share of a hundred samples moves by hundredths; other errors by more than a fiftieth."""
    assert expected == judge_movement(metric, before, after, 100)


@pytest.mark.parametrize(
    ("expected", "known", "before", "after"),
    [
        ("worse", " high", 80.0, 40.0),
        ("noise", " high", 80.0, 81.0),
        ("better", " high", 0.9, 30.0),
        ("better", " low", -3.0, -5.0),
        ("worse", " low", -0.5, 0.5),
    ],
)
def test_a_figure_of_no_known_best_is_judged_by_itself(expected, known, before, after):
    """A score of a hundred, or a log likelihood: 1 or 0 is not where it ends."""
    assert expected == judge_movement("score", before, after, 100, known=known)


@pytest.mark.parametrize(
    ("expected", "lost", "gained"),
    [("same", 0, 0), ("noise", 5, 0), ("worse", 6, 0), ("better", 2, 12), ("noise", 5000, 5100)],
)
def test_samples_are_judged_by_the_sign_test(expected, lost, gained):
    """Were both equally good, as many would be lost as gained."""
    before = [True] * lost + [False] * gained + [True]
    after = [False] * lost + [True] * gained + [True]

    assert expected == judge_pairs(before, after).verdict


@pytest.mark.parametrize("count", [1, 8, 9])
def test_bits_survive(count):
    """What is not of so many samples is refused."""
    right = np.arange(count) % 3 == 0

    assert list(right) == read_bits(write_bits(right), count)
    assert read_bits(write_bits(right), count + 8) is None
    assert read_bits("no", 8) is None
