"""Which layers cost most in INT8, for their work."""

from __future__ import annotations

from trtbuild.verbs.tuning.layers import Ranked


def test_layers_are_ordered_by_the_noise_that_they_take_away_for_their_work():
    """0.4 for 1000, 0.1 for 10, 0.1 for a tenth of the mean of 500, and nothing at all."""
    ranked = Ranked(noise={"large": 0.4, "small": 0.1, "none": 0.0, "bare": 0.1})
    macs = {"large": 1000, "small": 10, "none": 490}

    assert ["small", "bare", "large", "none"] == ranked.list_by_gain(macs)
    assert ["large", "small", "bare", "none"] == ranked.list_by_gain({})
