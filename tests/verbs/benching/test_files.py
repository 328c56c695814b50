"""Files, timed without a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild.core.errors import NotWritable, UsageError
from trtbuild.core.protocol import Protocol
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.benching.files import bench_files, is_recipe
from trtbuild.verbs.benching.request import BenchRequest

FAST = Protocol(iterations=16, rounds=8, warmup_seconds=0.0)


def test_a_recipe_is_alone():
    """Among files it is a mistake."""
    assert is_recipe([Path("a.yaml")])
    assert not is_recipe([Path("a.onnx"), Path("b.onnx")])
    with pytest.raises(UsageError, match="one recipe is timed at a time"):
        is_recipe([Path("a.onnx"), Path("b.yml")])


def test_two_of_one_name_go_by_their_paths(tiny, store, tmp_path):
    """And what cannot be written is said."""
    model = tiny.parent / "model.onnx"
    other = tmp_path / "other"
    other.mkdir()
    copy = other / "model.onnx"
    copy.write_bytes(model.read_bytes())

    def bench(out):
        asked = BenchRequest(protocol=FAST, cold=False)
        return bench_files(
            [model, copy],
            store,
            executor=Inline(),
            request=asked,
            listener=QuietListener(),
            out=out,
        )

    assert [str(model), str(copy)] == [each.model for each in bench(None).result.variants]
    with pytest.raises(NotWritable, match="cannot be written to"):
        bench(model)
