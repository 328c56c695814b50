"""ONNX Runtime's calibration table."""

from __future__ import annotations

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData
from onnxruntime.quantization.quant_utils import write_calibration_table

from tests.helpers.hostile import harmed, looked
from trtbuild.calib.ort_table import read_flatbuffer
from trtbuild.calib.range_file import table_from_bytes
from trtbuild.core.errors import RangeFileError

SEEN = {"x:0": (-2.5, 2.5), "a: b c": (0.0, 6.0), "down": (-3.0, 1.0), "log": (-np.inf, np.nan)}


@pytest.fixture
def written(tmp_path):
    """What ONNX Runtime itself writes, by the end of its name."""
    data = {name: tuple(np.array(end, np.float32) for end in ends) for name, ends in SEEN.items()}
    write_calibration_table(TensorsData(CalibrationMethod.MinMax, data), str(tmp_path))
    return {each.suffix: each.read_bytes() for each in tmp_path.iterdir()}


def ranges(data):
    found = table_from_bytes(data, file="table")
    assert "onnxruntime" == found.form
    return {name: (each.low, each.high) for name, each in found.ranges.tensors.items()}


@pytest.mark.parametrize("form", [".flatbuffers", ".cache"])
def test_limits_are_read_as_onnxruntime_writes_them(written, form):
    """It writes the larger end alone, and NaN for what lies behind a Log: nothing known."""
    told = {"x:0": (-2.5, 2.5), "a: b c": (-6.0, 6.0), "down": (-1.0, 1.0), "log": (0.0, 0.0)}

    assert told == ranges(written[form])


def test_the_json_has_both_ends(written):
    """`down` reaches to -3."""
    assert {**SEEN, "log": (0.0, 0.0)} == ranges(written[".json"])


def test_negative_and_infinite_limits_say_nothing():
    """max(highest, lowest) is negative where all values are."""
    data = b"a 1.5\nb -1.0\nc inf\nd nan\ne 0.0\n"

    assert [1.5, 0, 0, 0, 0] == [high for _, high in ranges(data).values()]


@pytest.mark.parametrize(
    ("data", "form"), [(b"a: 1\nb: 2\n", "text"), (b"x y 1\nb 2\n", "onnxruntime")]
)
def test_lines_with_colons_are_another_form(data, form):
    """`a: 1` could be read as the limit of `a:`, and is not."""
    assert form == table_from_bytes(data, file="it").form


def test_lines_of_both_forms_are_refused():
    """A line without a colon among others is a slip."""
    with pytest.raises(RangeFileError, match="line 2 is not of the form"):
        table_from_bytes(b"a: 1\nb 2\n", file="it")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a 1\na 2\n", "`a` stands there twice"),
        (json.dumps({"CLS": "TensorsData", "data": {"a": 1}}).encode(), "data.a: has no numbers"),
        (
            b'{"CLS": "TensorsData", "data": {"a": {"CLS": "TensorData", "lowest": 1}}}',
            "data.a: has no numbers",
        ),
    ],
)
def test_what_is_no_table_is_refused(data, message):
    """With the tensor."""
    with pytest.raises(RangeFileError, match=message):
        table_from_bytes(data, file="it")


def test_a_table_cut_off_anywhere_is_refused(written):
    """Each cut is a message, or leaves all entries whole."""
    data = written[".flatbuffers"]
    whole = read_flatbuffer(data, file="it")

    for end in range(len(data)):
        with contextlib.suppress(RangeFileError):
            assert whole == read_flatbuffer(data[:end], file="it")


def table_of(name, count):
    """Return a flatbuffer whose entries are all one and the same: `name`, 1.5."""
    root = struct.pack("<IHHHHiI", 12, 6, 8, 4, 0, 8, 4)
    first = len(root) + 4
    entry = first + 4 * count + 8
    offsets = b"".join(struct.pack("<I", entry - (first + 4 * each)) for each in range(count))
    fields = struct.pack("<HHHHiII", 8, 12, 4, 8, 8, 8, 8 + len(name))
    strings = struct.pack("<I", len(name)) + name + struct.pack("<I", 3) + b"1.5\0"
    return root + struct.pack("<I", count) + offsets + fields + strings


def test_names_that_lie_over_each_other_are_refused():
    """A quarter of a million of a megabyte each, in a file of two, would be a quarter terabyte."""
    assert {"nn": (-1.5, 1.5)} == read_flatbuffer(table_of(b"nn", 1), file="it")

    with pytest.raises(RangeFileError, match="its strings overlap"):
        read_flatbuffer(table_of(b"n" * (1 << 20), 1 << 18), file="it")


@looked(200)
@given(st.data())
def test_no_harm_surprises_the_reader(data):
    """Anything is a table or one message."""
    content = data.draw(st.binary(max_size=80) | harmed(table_of(b"name", 2)))
    for read in (lambda: read_flatbuffer(content, file="it"), lambda: ranges(content)):
        with contextlib.suppress(RangeFileError, AssertionError):
            assert isinstance(read(), dict)
