"""What was tried, as values."""

from __future__ import annotations

from trtbuild.core.tuning import Standing, Trial


def test_all_that_were_tried_can_be_compared_on_the_fewest_samples():
    """A trial that went on to more says what it did before; another's own figures are of these."""
    few = Standing(samples=32, shortfall=3.0)

    assert few == Trial(what="more", samples=800, fewer=(few, Standing(samples=128))).first
    assert 32 == Trial(what="few", samples=32).first.samples
