"""Whether one is faster: what is found, and how often it is found in vain."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.speed import busy_blocks, medians
from trtbuild.timing.contrasts import compare_apart, compare_paired, merge_alike

SHAPES = {"x": (1,)}


def paired(blocks):
    return compare_paired("b", "a", SHAPES, medians(blocks[1]), medians(blocks[0]))


def test_a_ratio_is_that_of_the_times():
    """Half the time is twice as fast, whatever the machine does meanwhile."""
    theirs = [2.0, 4.0, 8.0] * 8
    found = compare_paired("b", "a", SHAPES, [each / 2 for each in theirs], theirs)

    assert [2.0] * 3 == pytest.approx([found.ratio, found.low, found.high])
    assert ("faster", True) == (found.found, found.paired)


def test_five_percent_are_found_and_nothing_is_found_where_there_is_nothing():
    """20 of 20 each, on a machine whose speed wanders by 8 %."""
    slower = [paired(busy_blocks(seed, (1.0, 1.05))).found for seed in range(20)]
    same = [paired(busy_blocks(seed)).found for seed in range(100, 120)]

    assert ["slower"] * 20 == slower
    assert ["no difference found"] * 20 == same


def test_half_a_percent_is_no_difference_however_sure():
    """The same thing twice differs by as much."""
    theirs = list(np.full(24, 1.0))

    assert "no difference found" == compare_paired("b", "a", SHAPES, [0.995] * 24, theirs).found


@pytest.mark.parametrize(("factor", "found"), [(1.02, "no difference found"), (1.10, "slower")])
def test_runs_that_were_apart_must_differ_by_more(factor, found):
    """By more than 3 %: another run has other addresses, clocks and temperatures."""
    (one, _), (other, _) = (busy_blocks(seed, (f, 1.0)) for seed, f in ((1, 1.0), (2, factor)))
    steady = [np.log(medians(each)) for each in (one, other)]
    mine, theirs = (list(np.exp((each - each.mean()) / 20 + np.log(f)))
                    for each, f in zip(steady, (factor, 1.0), strict=True))  # fmt: skip

    made = compare_apart("b", "a", SHAPES, mine, theirs)

    assert (found, False) == (made.found, made.paired)


def test_neighbours_that_hang_together_are_one():
    """A slow wave of 64 blocks is merged to 16 or fewer; draws that are apart stay."""
    wave = np.sin(np.arange(64) / 10)
    drawn = np.random.default_rng(0).normal(size=64)

    assert 16 >= len(merge_alike(wave))
    assert 64 == len(merge_alike(drawn))
