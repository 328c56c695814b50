"""How near a comparison is to its gates, as one number that sorts."""

from __future__ import annotations

import functools

import pytest

from trtbuild.core.comparison import Comparison, Interval, Measure
from trtbuild.core.tuning import Trial
from trtbuild.measure.gates import Gate, judge_gates
from trtbuild.verbs.tuning.standing import (
    LOST,
    add_standing,
    counts_samples,
    find_common,
    find_signal,
    find_unreachable,
    is_better,
    list_figures,
    measure_shortfall,
    rank,
)


def compared(gates, *measures, samples=100):
    return Comparison(
        reference="",
        candidate="",
        runner="",
        samples=samples,
        labelled=True,
        measures=measures,
        verdicts=judge_gates(gates, measures, samples=samples),
    )


def top1(value, reference=0.9, ends=None):
    interval = Interval(confidence=0.95, method="score", value=(0, 1), drop=ends)
    return Measure(
        metric="top1",
        output="y",
        value=value,
        reference=reference,
        unit="share",
        own=True,
        intervals=(interval,) if ends else (),
    )


def decibels(value, output="y", **more):
    return Measure(metric="sqnr_db", output=output, value=value, unit="dB", **more)


LARGEST = Measure(metric="max_abs", output="y", value=3.0)
DROP = Gate(metric="top1", drop_at_most=0.01)


@pytest.mark.parametrize(
    ("gates", "measures", "expected"),
    [
        ([DROP], [top1(0.86)], 3.0),
        ([DROP], [top1(0.89)], 0.0),
        ([DROP, Gate(metric="sqnr_db", at_least=20)], [top1(0.86), decibels(18.5)], 4.5),
        ([Gate(metric="sqnr_db", at_least=20)], [decibels(18.5), decibels(19, "z")], 2.5),
        ([Gate(metric="max_abs", at_most=2.0)], [LARGEST], 0.5),
        ([DROP], [top1(None)], LOST),
        (
            [Gate(metric="top1", drop_at_most=0.01, confidence=0.95)],
            [top1(0.9, ends=(-0.02, 0.03))],
            2.0,
        ),
    ],
)  # fmt: skip
def test_what_lacks_is_summed_up_in_points_and_decibels(gates, measures, expected):
    """Or in shares of the limit; with a confidence, by the worse end of the interval."""
    assert expected == pytest.approx(measure_shortfall(gates, compared(gates, *measures)))


def test_the_least_signal_counts_that_of_hidden_parts_too():
    """What nobody asked for tells as well; identical outputs have no noise."""
    part = decibels(14.6, "y[:, 4:]", part_of="y")

    assert 14.6 == find_signal([decibels(32.5), part])
    assert find_signal([decibels(None, identical=True)]) is None


def test_figures_are_those_of_the_gates_and_the_signal():
    """In words, as a column or a comment has them."""
    found = list(list_figures(compared([DROP], top1(0.86), decibels(18.5))))

    assert [("top1 drop", "4.00 points"), ("sqnr_db", "18.50 dB")] == [
        (figure.name, figure.found) for figure in found
    ]


def test_figures_have_their_intervals():
    """Of a drop in points; of the signal, that of the output that has least of it."""
    interval = Interval(confidence=0.95, method="bootstrap", value=(17.0, 19.5))
    worst = decibels(18.5).model_copy(update={"intervals": (interval,)})
    found = list_figures(compared([DROP], top1(0.86, ends=(0.01, 0.07)), decibels(20.0), worst))

    assert ["1.00 to 7.00 points", "17.00 to 19.50 dB"] == [figure.interval for figure in found]


@pytest.mark.parametrize(("value", "told"), [(0.92, "-2.00 points"), (0.9, "0")])
def test_a_gain_is_a_drop_below_zero(value, told):
    """The name says that it is a drop, so that what stands behind it is a number."""
    assert told == next(list_figures(compared([DROP], top1(value)))).found


def trial(shortfall, sqnr_db=20.0, *, share=1.0, floats=()):
    return Trial(
        what="",
        samples=100,
        passed=not shortfall,
        shortfall=shortfall,
        sqnr_db=sqnr_db,
        int8_share=share,
        floats=floats,
    )


def test_what_is_a_samples_chance_is_decided_by_the_signal():
    """Of 100 samples a point is one, and a difference of one says nothing; of many lost, of few."""
    better = functools.partial(is_better, shares=True)

    assert counts_samples([DROP], compared([DROP], top1(0.86)))
    assert better(trial(2.0), trial(4.1))
    assert not better(trial(3.0), trial(4.0))
    assert not better(trial(25.0), trial(29.0))
    assert better(trial(4.5, 21.0), trial(4.0))
    assert not better(trial(0.5).model_copy(update={"problem": "no"}), trial(4.0))


def test_two_are_held_against_each_other_on_the_most_samples_that_both_saw():
    """What one did on more says nothing of the other."""
    told = {"passed": False, "sqnr_db": 9.0, "figures": ()}
    few, more = ({**told, "samples": n, "shortfall": lack} for n, lack in ((32, 9.0), (128, 4.0)))
    whole = trial(20.0).model_copy(update={"samples": 800})
    start = add_standing(add_standing(whole, more), few)
    new = add_standing(trial(0).model_copy(update={"samples": 0}), {**few, "shortfall": 1.0})

    assert (800, [32, 128]) == (start.samples, [each.samples for each in start.fewer])
    assert [32] == [each.samples for each in add_standing(new, more).fewer]
    assert (1.0, 9.0) == tuple(each.shortfall for each in find_common(new, start))


def test_a_gate_that_the_float_model_fails_is_beyond_reach():
    """It has less than the gate asks for; how far INT8 falls behind is another thing."""
    gate = Gate(metric="top1", at_least=0.95)

    assert "top1 90.00 % of `y`, and the gate asks for 95.00 %" in find_unreachable(
        [gate], compared([gate], top1(0.86))
    )
    assert "" == find_unreachable([DROP], compared([DROP], top1(0.5)))


def test_what_passes_is_ranked_by_its_int8_and_then_by_how_little_it_changes():
    """What does not pass comes behind, by what it lacks; never by chance."""
    best, same, less = trial(0, share=0.9), trial(0, share=0.9, floats=("a",)), trial(0, share=0.8)
    near, far = trial(0.5), trial(1.0, 40.0)

    assert [best, same, less, near, far] == sorted(
        [far, near, less, same, best], key=lambda each: rank(each, shares=False)
    )


def test_of_few_samples_what_lacks_by_chance_is_ranked_by_its_signal():
    """Of 100, one and a half are 1.5 points: 0 and 1 are alike, 4 is not."""
    lucky, sound, bad = trial(0.001, 15.0), trial(1.0, 20.0), trial(4.0, 30.0)

    assert [sound, lucky, bad] == sorted(
        [bad, lucky, sound], key=lambda each: rank(each, shares=True)
    )
