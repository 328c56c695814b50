"""What stands beside a change: what it gives, and on how many samples that was seen."""

from __future__ import annotations

import pytest

from trtbuild.core.tuning import Trial, TunedFigure
from trtbuild.verbs.tuning.attempts import Tried
from trtbuild.verbs.tuning.candidates import Candidate
from trtbuild.verbs.tuning.remarks import explain_changes
from trtbuild.verbs.tuning.standing import add_standing


def compared(trial, *standings):
    for samples, signal in standings:
        figures = (TunedFigure(name="sqnr_db", found=f"{signal} dB"),)
        trial = add_standing(trial, {"samples": samples, "sqnr_db": signal, "figures": figures})
    return trial


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        (((32, 9.0),), "sqnr_db 6.0 dB → 9.0 dB on 32 samples"),
        (((32, 9.0), (128, 8.0)), "sqnr_db 5.0 dB → 8.0 dB on 128 samples"),
        (((32, 9.0), (128, 8.0), (800, 7.0)), "sqnr_db 4.0 dB → 7.0 dB"),
    ],
)
def test_figures_are_of_the_most_samples_that_both_saw(standings, expected):
    """Which is said where it is not all: few samples may flatter."""
    start = compared(Trial(what="start"), (32, 6.0), (128, 5.0), (800, 4.0))
    made = compared(Trial(what="a", options={"a": 1}, of=0), *standings)
    tried = [Tried(0, Candidate(), start), Tried(1, Candidate({"a": 1}), made)]

    assert {"a": expected} == explain_changes(tried, tried[1])


def test_a_change_is_told_by_the_whole_without_it_where_that_was_tried():
    """Not by what it gave when it was added."""
    options = [{}, {"a": 1}, {"a": 1, "b": 1}, {"b": 1}]
    tried = [
        Tried(
            index,
            Candidate(each),
            compared(Trial(what="", options=each, of=index - 1 if index else None), (32, signal)),
        )
        for index, (each, signal) in enumerate(zip(options, (1.0, 2.0, 5.0, 4.5), strict=True))
    ]

    assert {"a": "sqnr_db 4.5 dB → 5.0 dB", "b": "sqnr_db 2.0 dB → 5.0 dB"} == explain_changes(
        tried, tried[2]
    )


def test_a_line_that_a_recipe_does_without_is_told_by_what_it_was():
    """Of `skip` as of other options; layers that are added to it are another thing."""
    less, more = Candidate({"skip": ["a"]}), Candidate(floats=("b",))
    start = compared(Trial(what="start"), (800, 39.0))
    tried = [Tried(0, Candidate(), start)]
    for index, candidate in enumerate((less, more), start=1):
        trial = Trial(what="", options=dict(candidate.options), floats=candidate.floats, of=0)
        tried.append(Tried(index, candidate, compared(trial, (800, 30.0 + index))))

    assert {"skip": "sqnr_db 39.0 dB → 31.0 dB"} == explain_changes(tried, tried[1])
    assert {"skip": "sqnr_db 39.0 dB → 32.0 dB"} == explain_changes(tried, tried[2])


def test_what_was_found_before_the_last_change_tells_of_a_line_too():
    """Rather than what that gave when it was added, in other company."""
    options = [{}, {"a": 1}, {"a": 1, "b": 1}, {"b": 1}, {"a": 1, "b": 1, "c": 1}]
    origins = [None, 0, 1, 2, 2]
    tried = [
        Tried(index, Candidate(each), compared(Trial(what="", options=each, of=of), (32, signal)))
        for index, (each, of, signal) in enumerate(
            zip(options, origins, (1.0, 1.5, 5.0, 2.0, 6.0), strict=True)
        )
    ]

    assert {
        "a": "sqnr_db 2.0 dB → 5.0 dB",
        "b": "sqnr_db 1.5 dB → 5.0 dB",
        "c": "sqnr_db 5.0 dB → 6.0 dB",
    } == explain_changes(tried, tried[4])


def test_a_policy_is_told_with_the_lines_that_it_stands_for():
    """A reader of the patch sees which layers it keeps in float."""
    options = {"protect": ["detection_head"]}
    start = compared(Trial(what="start"), (800, 39.0))
    made = compared(Trial(what="", options=options, of=0), (800, 41.0))
    tried = [Tried(0, Candidate(), start), Tried(1, Candidate(options), made)]

    assert {
        "protect": "`detection_head` stands for `skip: [a, b]`; sqnr_db 39.0 dB → 41.0 dB"
    } == explain_changes(tried, tried[1], head=("a", "b"))
