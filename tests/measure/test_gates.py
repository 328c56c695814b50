"""Gates: what passes, what fails, and in which words."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from trtbuild.core.records import Measure
from trtbuild.measure.gates import Gate


def gate(**fields) -> Gate:
    return Gate.model_validate_json(json.dumps(fields))


def sqnr(value, output="y", **fields) -> Measure:
    return Measure(metric="sqnr_db", output=output, value=value, unit="dB", **fields)


def top1(reference, value, output="y") -> Measure:
    return Measure(metric="top1", output=output, value=value, reference=reference, unit="share")


@pytest.mark.parametrize(("passed", "value"), [(True, 20.0), (False, 19.9999)])
def test_at_least_holds_up_to_its_bound(passed, value):
    """Equal to the bound passes; a hair below does not, and the words show it."""
    (verdict,) = gate(metric="sqnr_db", at_least=20).judge([sqnr(value)])

    assert ("sqnr_db ≥ 20", passed) == (verdict.gate, verdict.passed)
    assert ("20.00 dB" if passed else "19.9999 dB") == verdict.found


def test_at_most_is_for_differences():
    """0.5 passes 0.5; 0.6 does not."""
    measures = [Measure(metric="max_abs", output=o, value=v) for o, v in (("a", 0.5), ("b", 0.6))]
    verdicts = gate(metric="max_abs", at_most=0.5).judge(measures)

    assert [("a", True), ("b", False)] == [(each.output, each.passed) for each in verdicts]
    assert "max_abs ≤ 0.5" == verdicts[0].gate


@pytest.mark.parametrize(
    ("passed", "reference", "value", "found"),
    [
        (True, 0.98, 0.97, "drop 1.00 points"),
        (False, 0.98, 0.9699, "drop 1.01 points"),
        (True, 0.97, 0.98, "gain 1.00 points"),
        (True, 0.5, 0.5, "no drop"),
    ],
)
def test_a_drop_is_reference_less_candidate(passed, reference, value, found):
    """A drop of exactly the limit passes, whatever the floats make of 0.98 - 0.97."""
    (verdict,) = gate(metric="top1", drop_at_most="1%").judge([top1(reference, value)])

    assert ("top1 drop ≤ 1 point", passed, found) == (verdict.gate, verdict.passed, verdict.found)


def test_points_have_a_plural():
    """0.5 points, 1 point."""
    (verdict,) = gate(metric="top1", drop_at_most="0.5%").judge([top1(1.0, 1.0)])

    assert "top1 drop ≤ 0.5 points" == verdict.gate


def test_every_rule_of_a_gate_is_judged():
    """A gate with a floor and a limit on the drop gives two verdicts."""
    verdicts = gate(metric="top1", at_least="90%", drop_at_most="1%").judge([top1(0.96, 0.93)])

    assert [("top1 ≥ 90 %", True), ("top1 drop ≤ 1 point", False)] == [
        (each.gate, each.passed) for each in verdicts
    ]


def test_identical_passes_any_at_least():
    """No noise at all is better than any bound in dB, and never below an upper one."""
    perfect = sqnr(None, identical=True, remark="identical")
    (least,) = gate(metric="sqnr_db", at_least=200).judge([perfect])
    (most,) = gate(metric="sqnr_db", at_most=200).judge([perfect])

    assert (True, "identical", "") == (least.passed, least.found, least.remark)
    assert (False, "identical") == (most.passed, most.found)


@pytest.mark.parametrize("rule", [{"at_least": 20}, {"at_most": 20}])
def test_a_value_that_could_not_be_computed_fails_and_says_why(rule):
    """NaN in the outputs is no pass."""
    why = "the candidate holds NaN or Inf in 1 of 3 samples, first in sample 1"
    (verdict,) = gate(metric="sqnr_db", **rule).judge([sqnr(None, remark=why)])

    assert (False, None, why) == (verdict.passed, verdict.value, verdict.remark)


def test_a_drop_without_a_value_fails():
    """Scores that cannot be ranked have not kept their accuracy."""
    measure = Measure(metric="top1", output="y", value=None, remark="holds NaN")
    (verdict,) = gate(metric="top1", drop_at_most="1%").judge([measure])

    assert (False, "holds NaN") == (verdict.passed, verdict.remark)


def test_a_gate_over_all_outputs_passes_by_those_the_metric_does_not_fit():
    """An integer output beside the scores does not fail an SQNR gate."""
    measures = [sqnr(30.0), sqnr(None, "classes", applies=False, remark="integers")]
    verdicts = gate(metric="sqnr_db", at_least=20).judge(measures)

    assert [("y", True)] == [(each.output, each.passed) for each in verdicts]


def test_a_gate_that_names_an_output_judges_that_one_alone():
    """The other output's value does not count; a metric that does not fit the named one fails."""
    measures = [sqnr(10.0), sqnr(30.0, "z"), sqnr(None, "c", applies=False, remark="integers")]
    (fine,) = gate(metric="sqnr_db", output="z", at_least=20).judge(measures)
    (unfit,) = gate(metric="sqnr_db", output="c", at_least=20).judge(measures)

    assert fine.passed
    assert (False, "integers") == (unfit.passed, unfit.remark)


def test_a_gate_on_an_unknown_output_fails_and_lists_those_there_are():
    """A misspelt output must not pass for want of a value."""
    (verdict,) = gate(metric="sqnr_db", output="yy", at_least=20).judge([sqnr(30.0)])

    assert not verdict.passed
    assert "no output `yy` was compared; those that were: y" == verdict.remark


def test_a_gate_that_no_output_fits_fails():
    """Top-1 without labels: the gate was asked for and cannot be answered."""
    measures = [
        Measure(metric="top1", output=o, value=None, applies=False, remark="the data has no labels")
        for o in ("a", "b")
    ]
    (verdict,) = gate(metric="top1", drop_at_most="1%").judge(measures)

    assert not verdict.passed
    assert "a: the data has no labels; b: the data has no labels" == verdict.remark


def test_a_gate_on_a_metric_that_was_not_measured_fails():
    """No measure is no pass."""
    (verdict,) = gate(metric="cosine", at_least=0.9).judge([sqnr(30.0)])

    assert (False, "cosine was not measured") == (verdict.passed, verdict.remark)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("a gate needs at_least, at_most or drop_at_most", {"metric": "cosine"}),
        ("top1 is a share from 0 to 1; write 99%", {"metric": "top1", "at_least": 99}),
        ("a cosine lies between -1 and 1", {"metric": "cosine", "at_least": 99}),
        (
            "sqnr_db has no value for the reference alone",
            {"metric": "sqnr_db", "drop_at_most": 0.01},
        ),
        ("or in percent; write 1%", {"metric": "top1", "drop_at_most": 1}),
        ("at_least is above at_most", {"metric": "sqnr_db", "at_least": 3, "at_most": 2}),
        ("`20 dB` is not a bound; write a number", {"metric": "sqnr_db", "at_least": "20 dB"}),
    ],
)
def test_a_gate_that_cannot_mean_what_it_says_is_refused(message, fields):
    """Mistakes of unit and of kind are found before anything runs."""
    with pytest.raises(ValidationError, match=message):
        gate(**fields)


def test_a_share_may_be_written_in_percent():
    """`99%` and 0.99 are one bound."""
    assert gate(metric="top1", at_least="99%") == gate(metric="top1", at_least=0.99)
