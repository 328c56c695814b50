"""What comes of layers, gathered while several feeds run at a time."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.measure.tally import TallyPlan
from trtbuild.model.feeds import Feed, Feeder
from trtbuild.quant.switching.layer_runs import LayerRun, Operand, OwnRun
from trtbuild.steps.base import QuietEvents
from trtbuild.steps.layer_findings import LayerFindings

SPEC = TensorSpec(name="x", dtype="float32", shape=("N", 2))
OUT = TensorSpec(name="y", dtype="float32", shape=("N", 2))


class Runs:
    """A model whose outputs are given."""

    def __init__(self, exact, noisy):
        self.exact, self.noisy = exact, noisy

    def run(self, feed):
        """Say what the real ones say, in their order."""
        values = np.array([1.0, 0.5], np.float32)
        own = OwnRun(values, values * 0.9, (Operand("x", 0.9, values, np.array([9, 5], np.int8)),))
        yield LayerRun("none", -1, {"y": self.exact})
        yield LayerRun("all", -1, {"y": self.noisy})
        yield LayerRun("one", 3, {"y": self.noisy}, own)
        yield LayerRun("others", 3, {"y": self.exact})


def findings():
    return LayerFindings(TallyPlan(("top1", "sqnr_db"), np.array([1, 0])), [OUT], Feeder([SPEC]))


def feed(name):
    return Feed((name,), {"x": np.zeros((1, 2), np.float32)})


def test_figures_are_of_all_feeds_in_whatever_order_they_end():
    """The layer alone, all but it, and all in INT8; its own output and operands beside them."""
    right, wrong = np.array([[0, 9]], np.float32), np.array([[0, 8]], np.float32)
    found, events = findings(), QuietEvents()
    found.take(Runs(right, wrong), 1, feed("b"), events, total=4)
    found.take(Runs(right, right), 0, feed("a"), events, total=4)
    layer = found.measure(3, "conv", "Conv")
    alone = {each.metric: each for each in layer.alone}

    assert 0.5 == alone["top1"].value
    assert alone["sqnr_db"].value == pytest.approx(10 * np.log10(2 * 81))
    assert all(each.identical for each in layer.others if each.metric == "sqnr_db")
    assert found.measure_whole() == layer.alone
    assert 20 == pytest.approx(layer.own_db, abs=1e-4)
    assert (0.5, 2) == (layer.operands[0].clipped, layer.operands[0].levels)


def test_a_reference_that_is_nan_is_an_error_that_names_the_sample():
    """Nothing can be held against it."""
    broken = np.full((1, 2), np.nan, np.float32)

    with pytest.raises(StepInputError, match="is NaN for a"):
        findings().take(Runs(broken, broken), 0, feed("a"), QuietEvents(), total=2)
