"""What a bench is held against."""

from __future__ import annotations

import json

import pytest

from tests.helpers.speed import bench_result
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.protocol import Protocol
from trtbuild.store.benches import keep_bench
from trtbuild.verbs.benching.against import compare_files, hold_against, read_against


def test_the_last_bench_a_file_and_trtexec_are_told_apart(store, tmp_path):
    """Under another protocol nothing is measured in vain."""
    found = bench_result()
    (tmp_path / "bench.json").write_text(found.model_dump_json())
    (tmp_path / "times.json").write_text(json.dumps([{"computeMs": 1.0}]))

    def read(text, protocol=None):
        return read_against(text, name="small", store=store, protocol=protocol or Protocol())

    with pytest.raises(UsageError, match="was not measured before"):
        read("last")
    keep_bench(store, found)
    assert hold_against(found, read("last")).before == "the last bench"
    assert not hold_against(found, read(str(tmp_path / "bench.json"))).differ
    trtexec = read(str(tmp_path / "times.json"))
    assert (1, None) == (trtexec.exported.device.calls, hold_against(found, trtexec))
    with pytest.raises(UsageError, match="different protocols"):
        read("last", Protocol(seconds=1.0))
    with pytest.raises(MissingFile):
        read(str(tmp_path / "gone.json"))


def test_two_files_are_compared_where_both_are_benches(tmp_path):
    """Recipes and locks are for others; one alone is a mistake."""
    bench, other = tmp_path / "a.json", tmp_path / "b.json"
    bench.write_text(bench_result().model_dump_json())
    other.write_text("{}")

    assert not compare_files(bench, bench).differ
    assert compare_files(tmp_path / "r.yaml", bench) is None
    assert compare_files(other, other) is None
    with pytest.raises(UsageError, match=r"b\.json: is no result of a bench"):
        compare_files(bench, other)
