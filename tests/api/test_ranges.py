"""Tables of ranges from Python: every verb takes whatever holds one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.quant import ranges_of
from trtbuild import api
from trtbuild.core.errors import UsageError


@pytest.fixture(autouse=True)
def _tables(project):
    Path("a.json").write_text(ranges_of(x=1.0, y=2.0).model_dump_json())
    Path("b.json").write_text(ranges_of(x=1.0, y=4.0).model_dump_json())
    Path("old.cache").write_text("TRT-8601-EntropyCalibration2\nx: 3c010204\nelsewhere: 3f800000\n")


def test_a_table_is_found_in_whatever_holds_one(project):
    """A recipe, a build directory, JSON, a cache."""
    built = api.apply(project, build_dir="build")

    assert 1.0 == api.find_ranges(project).ranges.tensors["x"].limit
    assert 1.0 == api.find_ranges(built.directory).ranges.tensors["x"].limit
    assert ["x", "y"] == list(api.find_ranges("a.json").ranges.tensors)
    assert ["elsewhere", "x"] == sorted(api.find_ranges("old.cache").ranges.tensors)


def test_two_tables_are_compared_whatever_they_are():
    """x is the same in both, y twice as wide: a bit lost; the rest is in one alone."""
    (moved,) = api.diff_ranges("a.json", "b.json").moved

    assert ("y", 1.0) == (moved.tensor, moved.bits_lost)
    assert () == api.diff_ranges("a.json", "b.json", tolerance=1.0).moved
    assert {"y", "elsewhere"} == {
        each.tensor for each in api.diff_ranges("a.json", "old.cache").moved
    }


def test_what_numbers_mean_may_be_said_for_each_side():
    """127 / 2 written down is a limit of 2, or of 127 * 127 / 2."""
    Path("i.cache").write_text("TRT-8601-EntropyCalibration2\nx: 427e0000\n")

    assert 2.0 == api.find_ranges("i.cache", values="inverse").ranges.tensors["x"].limit
    moved = api.diff_ranges("a.json", "i.cache", values=("auto", "inverse")).moved
    assert ("x", 2.0) == next((each.tensor, each.after) for each in moved if each.tensor == "x")


@pytest.mark.parametrize("of", [{"model": "model.onnx"}, {"recipe": "recipe.yaml"}])
def test_what_concerns_a_model_is_imported(of):
    """From the file, by the names of a model or of a recipe's after its fixes; the rest is told."""
    found = api.import_ranges("old.cache", output="found.json", **of)

    assert ["x"] == list(found.ranges.tensors)
    assert any("elsewhere" in remark for remark in found.remarks)
    assert found.ranges == api.find_ranges("found.json").ranges


@pytest.mark.parametrize("of", [{}, {"model": "model.onnx", "recipe": "recipe.yaml"}])
def test_ranges_are_imported_for_one_model(of):
    """Neither for none nor for two; nothing is written."""
    with pytest.raises(UsageError, match="for one model"):
        api.import_ranges("old.cache", output="found.json", **of)
    assert not Path("found.json").exists()


def test_what_is_exported_is_returned_and_may_be_kept():
    """A cache for a version of TensorRT is read back as it was."""
    data = api.export_ranges("a.json", "tensorrt", version="10.16.1", output="new.cache")

    assert data == Path("new.cache").read_bytes()
    assert () == api.diff_ranges("a.json", "new.cache").moved
    assert b"x: 1.0\ny: 2.0\n" == api.export_ranges("a.json", "text")
