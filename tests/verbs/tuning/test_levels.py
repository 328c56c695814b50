"""The counts of samples that candidates are compared on."""

from __future__ import annotations

import pytest

from trtbuild.verbs.tuning.levels import WHOLE, list_counts, list_fewer


@pytest.mark.parametrize(
    ("total", "expected"),
    [(16, (WHOLE,)), (64, (32, WHOLE)), (800, (32, 128, WHOLE)), (5000, (32, 128, 512, 2048, 0))],
)
def test_counts_grow_until_all_are_not_much_more(total, expected):
    """Of few samples none are left out."""
    assert expected == list_counts(total)


def test_fewer_samples_are_those_that_come_before():
    """Whatever there are in all."""
    assert [(), (32,), (32, 128)] == [list_fewer(count) for count in (32, 128, 512)]


@pytest.mark.parametrize(
    ("batch", "expected"), [(1, (32, 128, WHOLE)), (12, (36, 144, WHOLE)), (48, (48, 192, WHOLE))]
)
def test_what_takes_several_samples_at_once_is_compared_on_whole_batches(batch, expected):
    """None is left out at the end, and few are no fewer than one run takes."""
    assert expected == list_counts(480, batch)
    assert expected[:1] == list_fewer(expected[1], batch)
