"""What a search comes to: the frontier of what was tried."""

from __future__ import annotations

from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.conclude import mark_frontier


def test_the_frontier_is_what_nothing_with_as_much_int8_comes_closer_than():
    """Of equal shares the closest, by signal where both lack as much; what failed is no point."""
    points = [(1.0, 9.0, 5.0), (1.0, 9.0, 6.0), (0.8, 9.0, 4.0), (0.7, 2.0, 9.0), (0.9, 3.0, 8.0)]
    trials = [
        Trial(what="", int8_share=share, shortfall=lacking, sqnr_db=signal)
        for share, lacking, signal in points
    ]
    broken = Trial(what="", problem="it cannot be built", int8_share=1.0)
    found = mark_frontier([*trials, broken])

    assert [1, 3, 4] == [index for index, trial in enumerate(found) if trial.frontier]
