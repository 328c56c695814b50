"""Files of ranges for other tools, and from them."""

from __future__ import annotations

import pytest

from tests.helpers.projects import small_project
from tests.helpers.quant import ranges_of
from trtbuild.calib.range_file import table_from_bytes
from trtbuild.core.errors import MissingFile, RangeFileError, UsageError
from trtbuild.recipe.schema import Quantization
from trtbuild.verbs.range_files import bytes_from_ranges, select_ranges_for_model, write_range_file

RANGES = ranges_of(x=1.0, b=127.0, unknown=0.0)


def table(data):
    return table_from_bytes(data, file="some.file", values="scale")


def test_a_cache_for_tensorrt_10():
    """Sorted; 1/127 is 3c010204, 1 is 3f800000, and nothing known is 0."""
    assert (
        b"TRT-101601-EntropyCalibration2\nb: 3f800000\nunknown: 0\nx: 3c010204\n"
        == write_range_file(RANGES, "tensorrt", version="10.16.1", algorithm="entropy2")
    )
    assert b"TRT-8601-MinMaxCalibration\n" == write_range_file(
        ranges_of(), "tensorrt", version="8.6.1", algorithm="minmax"
    )


def test_lines_of_limits():
    """As NVIDIA's sample reads them."""
    assert b"b: 127.0\nunknown: 0.0\nx: 1.0\n" == write_range_file(
        RANGES, "text", version="", algorithm="entropy2"
    )


def test_json_reads_back_as_it_was():
    """Without what is not known."""
    data = write_range_file(RANGES, "json", version="", algorithm="entropy2")

    assert RANGES.tensors == table(data).ranges.tensors
    assert b"null" not in data


@pytest.mark.parametrize(
    ("version", "algorithm", "message"),
    [
        ("11.1.0", "entropy2", "TensorRT 11.1.0 reads no calibration caches"),
        ("", "entropy2", "names a TensorRT, and none is given"),
        ("10.16", "entropy2", "`10.16` is not a version"),
        ("10.16.1", "mse", "no algorithm `mse`"),
    ],
)
def test_what_no_tensorrt_reads_is_not_written(version, algorithm, message):
    """With the next move."""
    with pytest.raises(UsageError) as caught:
        write_range_file(RANGES, "tensorrt", version=version, algorithm=algorithm)

    assert message in caught.value.message
    assert caught.value.hint


def test_a_limit_too_large_for_float32_is_named():
    """By its tensor."""
    with pytest.raises(RangeFileError, match="`x`"):
        write_range_file(ranges_of(x=1e42), "tensorrt", version="8.6.1", algorithm="minmax")


def test_a_models_ranges_are_kept(tmp_path):
    """And what they cover is told."""
    small_project(tmp_path)
    source = table(b"input: 2.5\nz: 1\nb: 3\n")

    found = select_ranges_for_model(source, tmp_path / "model.onnx")

    assert ["b", "input"] == list(found.ranges.tensors)
    assert [
        "list of dynamic ranges: covers 2 of the 3 tensors that INT8 needs (66.67 %)",
        "without a range: `g`",
        "1 of its 3 names are not in the model: `z`",
    ] == list(found.remarks)
    assert (
        "100.00 %"
        in select_ranges_for_model(
            source, tmp_path / "model.onnx", Quantization(skip=("op:Gemm",))
        ).remarks[0]
    )
    assert found.ranges == table(bytes_from_ranges(found.ranges)).ranges


def test_what_is_no_model_is_refused(tmp_path):
    """Or is not there."""
    (tmp_path / "text").write_bytes(b"text")

    with pytest.raises(UsageError, match="is not an ONNX model"):
        select_ranges_for_model(table(b"x: 1\n"), tmp_path / "text")
    with pytest.raises(MissingFile, match="No such file"):
        select_ranges_for_model(table(b"x: 1\n"), tmp_path / "gone")


def test_a_form_that_there_is_not_is_refused():
    """It is not taken for another."""
    with pytest.raises(UsageError, match="there is no form `csv`"):
        write_range_file(RANGES, "csv", version="8.6.1", algorithm="minmax")
