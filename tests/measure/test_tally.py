"""Outputs measured as they come: the same figures, without keeping outputs."""

from __future__ import annotations

import numpy as np

from tests.helpers.quant import normal
from trtbuild.measure.outputs import measure_output
from trtbuild.measure.parts import parse_part
from trtbuild.measure.tally import Tally, TallyPlan

METRICS = ("cosine", "sqnr_db", "max_abs", "top1_agreement", "top1")


def tally(reference, candidate, labels=None):
    found = Tally(TallyPlan(METRICS, labels))
    for index in reversed(range(len(reference))):  # feeds end in any order
        found.add(index, {"y": reference[index]}, {"y": candidate[index]})
    return found.measure()


def test_figures_are_those_of_whole_outputs():
    """Sample by sample, in whatever order, it comes to what all of them at once come to."""
    reference, labels = normal(6, 4), np.arange(6) % 4
    candidate = reference + normal(6, 4, seed=1) / 9

    assert measure_output("y", reference, candidate, metrics=METRICS, labels=labels) == tally(
        reference, candidate, labels
    )


def test_a_nan_is_told_as_it_is_of_whole_outputs():
    """With the sample named."""
    reference, candidate = normal(3, 4), normal(3, 4)
    candidate[1, 2] = np.nan

    assert measure_output("y", reference, candidate, metrics=METRICS) == tally(reference, candidate)


def test_samples_may_differ_in_size():
    """A class of a whole output is then none; a shape of one side alone is no figure at all."""
    rows = [normal(2, 3), normal(5, 3)]
    agreement = {each.metric: each for each in tally(rows, rows)}["top1_agreement"]

    assert 1.0 == agreement.value
    assert "shapes differ in sample 1: [5, 3] against [2, 3]" == tally(rows, rows[:1] * 2)[0].remark


def test_parts_are_measured_as_outputs_are():
    """By the names that they were given; those that the whole would hide say what they are of."""
    reference = normal(3, 6)
    candidate = reference + normal(3, 6, seed=1) / 9
    parts = {"tail": parse_part("y[:, 4:]"), "y[:, :4]": parse_part("y[:, :4]")}
    plan = TallyPlan(("sqnr_db",), parts=parts, hidden=frozenset({"y[:, :4]"}))
    found = Tally(plan)
    for index in range(3):
        found.add(index, {"y": reference[index]}, {"y": candidate[index]})
    measures = {each.output: each for each in found.measure()}
    (tail,) = measure_output("tail", reference[:, 4:], candidate[:, 4:], metrics=("sqnr_db",))

    assert tail == measures["tail"]
    assert ("", "y") == (measures["tail"].part_of, measures["y[:, :4]"].part_of)
