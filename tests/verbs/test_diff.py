"""In what order differences are told."""

from __future__ import annotations

from trtbuild.plan.difference import Change
from trtbuild.plan.lock import Lock, LockedTarget
from trtbuild.verbs.diff import _targets, sort_worst_first


def names(*changes):
    return [change.what for change in sort_worst_first(changes)]


def test_figures_that_got_worse_come_first_by_how_much():
    """A third of the signal is worse than a tenth; a larger error is worse too; gains come last."""
    assert ["a.sqnr_db", "b.max_abs", "c.top1", "d.cosine"] == names(
        Change(what="d.cosine", before=0.5, after=0.9),
        Change(what="c.top1", before=1.0, after=0.9),
        Change(what="b.max_abs", before=0.8, after=1.0),
        Change(what="a.sqnr_db", before=30.0, after=20.0),
    )


def test_a_layer_that_fell_back_comes_before_a_larger_engine():
    """And both before facts that are neither better nor worse."""
    assert ["t.delivered_int8", "t.engine_size_bytes", "t.backend", "t.tactics"] == names(
        Change(what="t.tactics", before="a", after="b"),
        Change(what="t.backend", before="a", after="b"),
        Change(what="t.engine_size_bytes", before=10, after=1000),
        Change(what="t.delivered_int8", before=9, after=8),
    )


def test_a_limit_that_loses_bits_comes_before_one_that_gains():
    """What has no size of its own stands between, by name."""
    assert ["ranges.b", "calibrator", "ranges.a"] == names(
        Change(what="ranges.a", before=4.0, after=2.0, bits=-1.0),
        Change(what="calibrator", before="minmax", after="mse"),
        Change(what="ranges.b", before=2.0, after=4.0, bits=1.0),
    )


def test_an_error_that_exploded_comes_before_a_figure_that_barely_moved():
    """Whichever metrics there are: their table says which way is worse."""
    assert ["a.max_abs", "b.cosine"] == names(
        Change(what="b.cosine", before=0.999, after=0.998),
        Change(what="a.max_abs", before=0.01, after=5.0),
    )


def test_an_error_that_came_from_nothing_is_the_worst_and_one_that_went_the_best():
    """Zero has no ratio."""
    assert ["a.max_abs", "c.top1", "b.max_abs"] == names(
        Change(what="b.max_abs", before=0.1, after=0.0),
        Change(what="c.top1", before=0.9, after=0.8),
        Change(what="a.max_abs", before=0.0, after=0.1),
    )


def test_what_was_delivered_of_other_types_is_one_value():
    """FP8 of three layers asked for, in two; capabilities in one line."""
    target = LockedTarget(
        backend="x", built_for=("8.9", "12.0"), engine_size_bytes=1, asked_int8=0,
        delivered_int8=0, other_types={"fp8": (3, 2)},
    )  # fmt: skip
    empty = {"models": {}, "recipe": {}, "sources": {}, "tools": {}, "measures": {}}
    facts = _targets(Lock.model_validate({**empty, "targets": {"rtx": target}}))

    assert ("2 of 3 delivered", "8.9 12.0") == (
        facts["rtx.other_types.fp8"],
        facts["rtx.built_for"],
    )
