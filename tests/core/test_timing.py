"""What a bench measures, as values."""

from __future__ import annotations

from tests.helpers.speed import bench_result
from trtbuild.core.protocol import Protocol, digest_of_protocol
from trtbuild.core.timing import BenchResult, SpeedVerdict


def test_a_result_survives_json():
    """Nothing is lost, and nothing else is read."""
    found = bench_result()

    assert found == BenchResult.model_validate_json(found.model_dump_json())
    assert ["fp32/onnxruntime-cpu", "int8/onnxruntime-cpu"] == found.list_names()[:2]


def test_a_gate_that_was_not_judged_stands_in_the_way_of_nothing():
    """One that failed does."""
    one = SpeedVerdict(gate="p50_ms ≤ 1", variant="a", passed=False)
    found = bench_result()

    assert found.passed
    assert found.model_copy(update={"verdicts": (one.model_copy(update={"judged": False}),)}).passed
    assert not found.model_copy(update={"verdicts": (one,)}).passed


def test_each_option_of_the_protocol_makes_it_another():
    """Results under two are not held against each other."""
    digests = {digest_of_protocol(Protocol()), digest_of_protocol(Protocol(seconds=3.0)),
               digest_of_protocol(Protocol(streams=(1, 4)))}  # fmt: skip

    assert 3 == len(digests)
