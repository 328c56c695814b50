from __future__ import annotations

import itertools

import pytest

from trtbuild.calib.scatter import scatter


@pytest.mark.parametrize("count", [0, 1, 2, 33, 256])
def test_every_place_is_there_once(count):
    """In whatever order."""
    assert list(range(count)) == sorted(scatter(count))


@pytest.mark.parametrize("count", [32, 64, 100])
@pytest.mark.parametrize("period", [2, 3, 4, 5, 6, 8])
def test_what_takes_turns_is_in_every_quarter(count, period):
    """A quarter of samples of up to four classes, or half of those of up to eight, has them all."""
    chosen = scatter(count)[: count // (4 if period <= 4 else 2)]

    assert set(range(period)) == {place % period for place in chosen}


def test_a_beginning_is_spread_evenly():
    """No gap of a quarter is twice as long as it would be at best."""
    chosen = sorted(scatter(128)[:32])

    gaps = [after - before for before, after in itertools.pairwise(chosen)]
    assert max(gaps) < 8
    assert chosen[0] < 8
    assert chosen[-1] > 119
