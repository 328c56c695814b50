"""Two results held against each other."""

from __future__ import annotations

import pytest

from tests.helpers.speed import bench_result, speed_row
from trtbuild.core.errors import UsageError
from trtbuild.core.protocol import Protocol, digest_of_protocol
from trtbuild.verbs.benching.compare import compare_benches

NAMES = ("a", "b")


def test_what_moved_beyond_noise_is_told():
    """INT8 takes a fifth longer; the rest is as it was. What came and went is named."""
    before, after = bench_result(), bench_result(int8=1.2)
    extra = speed_row("half/x", 1.0)
    found = compare_benches(
        before, after.model_copy(update={"rows": (*after.rows, extra)}), names=NAMES
    )

    assert [("fp32", "no difference found"), ("int8", "slower")] * 2 == [
        (each.variant.partition("/")[0], each.found) for each in found.moved
    ]
    assert found.differ
    assert (("half/x at x 1×3",), ()) == (found.come, found.gone)
    assert not compare_benches(before, before, names=NAMES).differ


def test_other_models_and_libraries_are_noted():
    """They are what one may want to compare."""
    before = bench_result()
    one, other = before.variants
    changed = other.model_copy(
        update={"model_digest": "sha256:b", "libraries": {"onnxruntime": "2"}}
    )
    after = before.model_copy(update={"variants": (one, changed)})
    notes = compare_benches(before, after, names=NAMES).notes

    assert "int8/onnxruntime-cpu: another model" == notes[0]
    assert "int8/onnxruntime-cpu: onnxruntime 1.30.0 → 2" == notes[1]


def test_protocols_and_machines_must_be_the_same():
    """Says in what they are not."""
    before, other = bench_result(), Protocol(seconds=9.0)
    protocol = {"protocol": other, "protocol_digest": digest_of_protocol(other)}
    machine = {"machine": before.machine.model_copy(update={"cores": 8})}

    with pytest.raises(UsageError, match=r"different protocols(.|\n)*seconds: 2.0 → 9.0"):
        compare_benches(before, before.model_copy(update=protocol), names=NAMES)
    with pytest.raises(UsageError, match=r"different machines(.|\n)*cores: 4 → 8"):
        compare_benches(before, before.model_copy(update=machine), names=NAMES)
