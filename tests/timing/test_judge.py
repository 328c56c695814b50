"""Gates on speed."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from tests.helpers.speed import bench_result
from trtbuild.timing.gates import SpeedGate
from trtbuild.timing.judge import judge_speed

FOUND = bench_result()


def gate(**rule):
    return SpeedGate.model_validate_json(json.dumps({"variant": "int8", **rule}))


def judged(*, recall=lambda _: (None, "there is no lock yet"), **rule):
    return judge_speed([gate(**rule)], FOUND, recall)


def test_a_bound_is_held_by_the_end_of_the_interval():
    """p50 is 1 ms, at most 1.01: a bound of 1.005 is passed by the point alone. p99 has no end."""
    passed, failed, open_ = (
        judged(batch=1, **rule)[0]
        for rule in ({"at_most": 1.01}, {"at_most": 1.005}, {"metric": "p99_ms", "at_most": 9.0})
    )

    assert (True, False, False) == (passed.passed, failed.passed, open_.passed)
    assert "at most 1.01 ms (95 %): so many calls do not prove it" in failed.found
    assert "not bounded" in open_.found
    assert "int8 at batch 1: p50_ms ≤ 1.01" == passed.gate


def test_a_gate_means_every_set_of_shapes_and_every_runner():
    """Unless it says which."""
    assert 2 == len(judged(at_most=100.0))
    assert ["int8/onnxruntime-cpu"] * 2 == [
        each.variant for each in judged(variant="*/onnxruntime-cpu", at_most=100.0)
    ][1::2]


@pytest.mark.parametrize(("by", "passed"), [(1.9, True), (2.1, False)])
def test_another_variant_is_beaten_by_so_much(by, passed):
    """Twice as fast is more than 1.9 times, and less than 2.1; the other way round it is not."""
    (one, _) = judged(faster_than={"variant": "fp32", "by": by})

    assert passed == one.passed
    assert "2×" in one.found
    assert not judged(variant="fp32", faster_than={"variant": "int8"})[0].passed


def test_what_did_not_run_is_not_judged():
    """With the reason that it did not run, or that nothing of the name is known."""
    (one,) = judged(variant="*/onnxruntime-cuda", at_most=1.0)
    (other,) = judged(variant="gone", at_most=1.0)
    (_, third) = judged(faster_than={"variant": "half"})

    assert [False] * 3 == [each.judged for each in (one, other, third)]
    assert "there is no CUDAExecutionProvider" in one.remark
    assert "no such variant was measured" == other.remark
    assert "half/onnxruntime-cpu: no such variant" in third.remark


@pytest.mark.parametrize(("locked", "passed"), [(1.0, True), (0.95, True), (0.85, False)])
def test_a_time_grows_beyond_noise_or_not(locked, passed):
    """By 5 % and the 3 % that runs differ by, of the ends of the intervals."""
    one, _ = judged(slower_than_lock_at_most="5%", recall=lambda _: ((locked, locked * 1.01), ""))
    (none, _) = judged(slower_than_lock_at_most="5%")

    assert passed == one.passed
    assert "there is no lock yet" == none.remark


def test_a_gate_has_one_rule():
    """None and two are errors."""
    for rule in ({}, {"at_most": 1.0, "slower_than_lock_at_most": "5%"}):
        with pytest.raises(ValidationError, match="one of at_most"):
            gate(**rule)
