"""The search: what it tries, in which order, and what it comes to, on made-up results."""

from __future__ import annotations

import time

import pytest

from trtbuild.core.quantized_types import FP8
from trtbuild.verbs.tuning.attempts import OutOfTime
from trtbuild.verbs.tuning.candidates import Candidate, TuningStage
from trtbuild.verbs.tuning.search import Search

LAYERS = tuple("abcdefghij")


class Judge:
    """Says of a candidate what a rule says, and remembers what it was asked."""

    def __init__(self, shortfall):
        self.shortfall = shortfall
        self.asked = []

    def __call__(self, candidate, trial, _):
        self.asked.append((sorted(candidate.options), "".join(candidate.floats)))
        lacking = self.shortfall(candidate)
        told = {"samples": 9, "passed": lacking <= 0, "shortfall": max(lacking, 0.0)}
        return trial.model_copy(update=told)


def search_with(shortfall, *, seconds=60.0, known=()):
    judge = Judge(shortfall)
    search = Search(
        attempt=judge,
        is_known=lambda candidate, _: candidate.floats in known,
        tell=lambda *_: None,
        deadline=time.monotonic() + seconds,
    )
    start = search.try_out(Candidate(), "as it is", of=None)
    return search, judge, start


def test_groups_grow_until_one_passes_and_the_least_is_found_between():
    """Five of ten are needed: 1, 2, 4, 8 are tried, then 6 and 5."""
    search, judge, start = search_with(lambda candidate: 5 - len(candidate.floats))
    found = search.choose_floats(start, LAYERS, {})
    counts = [len(floats) for _, floats in judge.asked]

    assert LAYERS[:5] == found.candidate.floats
    assert [0, 1, 2, 4, 8, 6, 5] == counts[:7]


def test_layers_that_are_not_needed_go_back_the_largest_first():
    """Of the first four, only d helps: two of the others are put back, those with most work."""
    search, judge, start = search_with(lambda candidate: 1 - ("d" in candidate.floats))
    found = search.choose_floats(start, LAYERS, {"b": 9, "a": 5})

    assert ("c", "d") == found.candidate.floats
    assert ["abc", "acd", "cd"] == [floats for _, floats in judge.asked[-3:]]


def test_where_no_group_passes_the_best_that_was_seen_is_kept():
    """Not the last: more in float may well be worse. One layer at least stays in INT8."""
    search, judge, start = search_with(lambda candidate: 1 + abs(len(candidate.floats) - 2))
    found = search.choose_floats(start, LAYERS, {})

    assert LAYERS[:2] == found.candidate.floats
    assert [0, 1, 2, 4, 8, 9] == [len(floats) for _, floats in judge.asked]


def test_choices_stand_instead_of_each_other_and_stages_build_on_the_best():
    """What makes it worse is dropped, and nothing is tried once the gates pass."""
    gains = {"one": 1, "two": 2, "bad": -1, "rest": 3, "late": 1}
    stages = [
        TuningStage([("one", {"a": "one"}), ("two", {"a": "two"})]),
        TuningStage([("bad", {"b": "bad"})]),
        TuningStage([("rest", {"c": "rest"}), ("late", {"c": "late"})]),
    ]
    search, judge, start = search_with(
        lambda candidate: 5 - sum(gains[value] for value in candidate.options.values())
    )
    found = search.choose_options(start, stages)

    assert {"a": "two", "c": "rest"} == found.candidate.options
    assert [[], ["a"], ["a"], ["a", "b"], ["a", "c"]] == [options for options, _ in judge.asked]


def test_once_the_time_is_spent_only_what_is_known_is_looked_at():
    """So a second run comes as far as the first at once, whatever its budget."""
    search, judge, start = search_with(
        lambda candidate: 9 - len(candidate.floats), seconds=0, known={("a",), ("a", "b")}
    )

    with pytest.raises(OutOfTime):
        search.choose_floats(start, LAYERS, {})
    assert ["", "a", "ab"] == [floats for _, floats in judge.asked]


def test_a_second_round_adds_to_the_layers_of_the_first():
    """What is in float stays there, and groups grow beside it; all of it may go back."""
    search, judge, start = search_with(lambda candidate: 3 - len(set("cde") & {*candidate.floats}))
    first = search.try_out(Candidate({"o": 1}, ("a", "c")), "first", of=start)
    found = search.choose_floats(first, ("d", "e", "f", "g"), {})

    assert ("c", "d", "e") == found.candidate.floats
    assert ["ac", "acd", "acde"] == [floats for _, floats in judge.asked[1:4]]


def test_with_fitted_options_the_layers_that_nearly_did_without_go_back_first():
    """Without c it lacked least, so that is tried first once rounding is fitted."""
    lacks = {"a": 3.0, "b": 2.0, "c": 0.5, "d": 4.0, "e": 5.0}
    search, judge, start = search_with(
        lambda candidate: (
            sum(lacks[name] for name in set(lacks) - {*candidate.floats}) - len(candidate.options)
        )
    )
    plain = search.choose_floats(start, (*lacks, "f"), {"c": 9})
    fitted = search.try_out(plain.candidate.adding({"o": 1}), "fitted", of=plain)
    found = search.put_back_fitted(plain, fitted)

    assert tuple("abcde") == plain.candidate.floats
    assert tuple("abde") == found.candidate.floats
    assert [(["o"], "abcde"), (["o"], "abde")] == judge.asked[-2:]


@pytest.mark.parametrize(
    ("kind", "gain", "kept"), [("minmax", 1, 1), ("minmax", -1, 0), ("auto", 1, 0)]
)
def test_tensors_of_the_worst_layers_get_calibrators_of_their_own(kind, gain, kept):
    """All at once, since each try calibrates anew; what searches by tensor itself is left alone."""
    search, judge, start = search_with(
        lambda candidate: 3 - gain * len(candidate.options.get("calibrators", ()))
    )
    uses = [("x", 1.0, 8.0), ("y", 8.0, 8.0), ("own", 1.0, 8.0)]
    found = search.choose_overrides(start, uses, {"own": {"kind": "mse"}}, kind)
    lines = {"own": {"kind": "mse"}, "x": {"kind": "minmax"}, "y": {"kind": "mse"}}

    assert ({"calibrators": lines} if kept else {}) == found.candidate.options
    assert 1 + (kind != "auto") == len(judge.asked)


def test_a_head_is_protected_by_name_where_all_of_it_is_needed():
    """Where a part will do, those layers are named instead."""
    floating = {"a": 1, "b": 1, "c": 0}

    def lacking(candidate):
        names = "abc" if candidate.options.get("protect") else candidate.floats
        return 2 - sum(floating[name] for name in names)

    search, _, start = search_with(lacking)
    whole = search.choose_head(start, ["a", "b"], {"a": 2}, ["first_and_last"])
    part = search.choose_head(start, ["a", "b", "c"], {"c": 9}, [])

    assert {"protect": ["first_and_last", "detection_head"]} == whole.candidate.options
    assert () == whole.candidate.floats
    assert ({}, ("a", "b")) == (part.candidate.options, part.candidate.floats)


@pytest.mark.parametrize(
    ("bad", "precision", "floats"),
    [("", "abc", ""), ("b", "ac", "b"), ("ac", "b", "ac"), ("abc", "", "abc")],
)
def test_what_is_in_float_may_do_in_another_type(bad, precision, floats):
    """All at once, else one by one, those with most work first; what the recipe asks stays.

    What was found that is for INT8 alone goes then.
    """
    search, _, _ = search_with(
        lambda candidate: (
            3
            - len(candidate.floats)
            - sum(name not in bad for name in candidate.options.get("precision", {}) if name != "z")
        )
    )
    start = Candidate({"bias_correction": True}, ("a", "b", "c"))
    best = search.try_out(start, "3 layers in float", of=None)
    found = search.choose_types(best, (FP8,), {"z": "fp32"}, {"b": 9, "a": 5})

    asked = {"z": "fp32"} | dict.fromkeys(precision, "fp8") if precision else {}
    assert asked == found.candidate.options.get("precision", {})
    assert bool(asked) != ("bias_correction" in found.candidate.options)
    assert floats == "".join(found.candidate.floats)
