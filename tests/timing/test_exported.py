"""What trtexec writes."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.timing.exported import read_exported


def call(start, compute, *, copies=0.0):
    return {
        "startEnqMs": start, "endEnqMs": start + 0.1, "endComputeMs": start + compute,
        "h2dMs": copies, "d2hMs": 0.0, "computeMs": compute, "latencyMs": compute + copies,
    }  # fmt: skip


def written(folder, tree):
    path = folder / "t.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    return path


def test_times_are_read_and_what_is_unlike_is_said(tmp_path):
    """Copies in the latency, and calls that were put there before the last had ended."""
    calls = [call(float(place), 2.0, copies=0.5) for place in range(4)]
    found = read_exported(written(tmp_path, calls))

    assert (2.0, 2.5, 4) == (found.device.p50.ms, found.latency.p50.ms, found.device.calls)
    assert "copies in it, 0.5 ms a call" in found.unlike[0]
    assert "3 of 3 calls were put on the GPU before" in found.unlike[1]
    plain = read_exported(written(tmp_path, [call(10.0 * place, 2.0) for place in range(4)]))
    assert "no copies in it" in plain.unlike[0]
    assert not any("before the one before" in each for each in plain.unlike)


def test_layers_are_read_the_slowest_first(tmp_path):
    """With their share of all."""
    layers = [{"count": 9}, {"name": "a", "averageMs": 1.0}, {"name": "b", "averageMs": 3.0}]
    found = read_exported(written(tmp_path, layers))

    assert [("b", 0.75), ("a", 0.25)] == [(each.name, each.share) for each in found.layers]


@pytest.mark.parametrize(
    "tree",
    ["", "{}", "[]", "[1]", [{"x": 1}], [{"computeMs": "1"}], [{"computeMs": -1}], "[" * 100_000,
     '[{"computeMs": NaN}]', [{"averageMs": 1.0}], [{"name": "a", "averageMs": True}]],
    ids=lambda tree: str(tree)[:20],
)  # fmt: skip
def test_what_trtexec_does_not_write_is_refused(tmp_path, tree):
    """One error."""
    with pytest.raises(UsageError, match="is nothing that trtexec writes"):
        read_exported(written(tmp_path, tree))
