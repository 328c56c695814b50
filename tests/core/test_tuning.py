"""What was tried, as values."""

from __future__ import annotations

from trtbuild.core.tuning import Standing, Trial


def test_all_that_were_tried_can_be_compared_on_the_fewest_samples():
    """A trial that went on to more says what it did before; another's own figures are of these."""
    few = Standing(samples=32, shortfall=3.0)

    assert few == Trial(what="more", samples=800, fewer=(few, Standing(samples=128))).first
    assert 32 == Trial(what="few", samples=32).first.samples


def test_a_trial_says_all_that_it_changes():
    """In the words of the recipe, but for what has no end; of nothing, nothing."""
    options = {
        "calibrator": {"kind": "percentile", "percentile": 99.9},
        "ranges": {"x": 404.0, "y": [-1.0, 2.5], "z": 1, "w": 2},
        "equalize": [{"kind": "smooth"}],
        "bias_correction": True,
        "skip": [],
    }
    few = Trial(what="", options=options, floats=("a", "b"))

    assert few.describe() == (
        "calibrator percentile 99.9, x within 404, y within -1 to 2.5 and 2 more, equalize smooth, "
        "bias_correction on, no skip, a, b in float"
    )
    assert "3 layers in float" == Trial(what="", floats=("a", "b", "c")).describe()
    assert "" == Trial(what="as the recipe is").describe()
