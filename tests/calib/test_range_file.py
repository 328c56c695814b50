"""Any file of ranges, known by what it holds."""

from __future__ import annotations

import json
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.calib.range_file import table_from_bytes
from trtbuild.calib.trt_cache import TrtCache, bytes_from_cache
from trtbuild.core.errors import RangeFileError
from trtbuild.core.quantized_types import INT8
from trtbuild.core.values import Range, Ranges

CACHE = b"TRT-101401-EntropyCalibration2\nb: 3c010204\na: 0\n"


def table(data, **options):
    return table_from_bytes(data, file="some.file", **options)


def test_a_cache_is_known_by_its_first_line():
    """Its ranges are symmetric, and know who found them."""
    found = table(CACHE)

    assert ("tensorrt", "TensorRT 10.14.1 cache (EntropyCalibration2)") == (found.form, found.told)
    each = found.ranges.tensors["b"]
    assert ("imported", "entropy2 (TensorRT 10.14.1)") == (each.origin, each.calibrator)
    assert (1.0, -1.0) == (round(each.high, 7), round(each.low, 7))
    assert ["a", "b"] == list(found.ranges.tensors)
    assert ("a",) == found.unknown


@given(st.integers(0x00800000, 0x7F7FFFFF))
def test_a_scale_survives_the_table(bits):
    """limit / 127, as float32, is the scale of the file, to the last bit."""
    (scale,) = struct.unpack(">f", bits.to_bytes(4, "big"))
    data = bytes_from_cache(TrtCache(8601, "MinMaxCalibration", {"x": scale}))

    each = table(data, values="scale").ranges.tensors["x"]

    assert struct.pack(">f", scale) == struct.pack(">f", each.scale_in(INT8))


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"a: 1.5\nb: 2\n", "text"),
        (b'{"a": 1.5, "b": [-2, 1]}', "json"),
        (
            Ranges(
                tensors={
                    "a": Range(low=-1.5, high=0.0, origin="tied", tied_with=("b",)),
                    "b": Range(low=-1.0, high=2.0, origin="manual", entry="*"),
                }
            )
            .model_dump_json()
            .encode(),
            "json",
        ),
    ],
)
def test_other_forms_are_known_by_what_they_hold(data, form):
    """Names of files mean nothing."""
    found = table(data)

    assert form == found.form
    assert {"a": 1.5, "b": 2.0} == {name: r.limit for name, r in found.ranges.tensors.items()}


def test_our_own_table_is_read_as_it_was_written():
    """With origin, group, and what calibration saw."""
    ranges = Ranges(
        samples=64,
        tensors={
            "a": Range(
                low=-1.0,
                high=2.0,
                origin="calibrated",
                calibrator="mse",
                observed=(-9.0, 2.0),
                clipped=0.01,
                tied_with=("b",),
            )
        },
    )

    assert ranges == table(ranges.model_dump_json(indent=1, exclude_defaults=True).encode()).ranges


def test_a_cache_whose_numbers_are_hardly_scales_is_not_taken_for_one():
    """Unless it is said what they are: `values` tells."""
    data = bytes_from_cache(TrtCache(8601, "EntropyCalibration2", {"x": 2.64, "y": 6.0, "z": 3.0}))

    with pytest.raises(RangeFileError, match="write the limit, or 127 / limit"):
        table(data)
    found = table(data, values="limit").ranges.tensors
    assert [2.64, 6.0, 3.0] == pytest.approx([each.limit for each in found.values()])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1', "is not JSON"),
        ('{"a": 1, "a": 2}', "`a` stands there twice"),
        ('{"a": NaN}', "NaN is no limit"),
        ('{"a": 1e999}', "`a` must be a limit"),
        ('{"a": true}', "`a` must be a limit"),
        ('{"a": [1, 2, 3]}', "`a` must be a limit"),
        ('{"a": [2, 1]}', "low (2) is above high (1)"),
        ('{"tensors": {"a": {"low": 1, "high": "2", "origin": "manual"}}}', "tensors.a.high"),
        ('{"tensors": {"a": {"low": 1}}}', "tensors.a.high"),
        ('{"a":' * 100_000, "is not JSON"),
    ],
)
def test_json_that_holds_no_ranges_is_refused(text, message):
    """With the tensor."""
    with pytest.raises(RangeFileError) as caught:
        table(text.encode())

    assert message in caught.value.message
    assert caught.value.message.startswith("some.file: ")


def test_json_of_one_number_a_tensor_is_a_limit():
    """As in a recipe."""
    found = table(json.dumps({"a": 2}).encode()).ranges.tensors["a"]

    assert (-2.0, 2.0, "imported") == (found.low, found.high, found.origin)


def test_a_name_that_is_there_twice_is_found_in_moments():
    """In a long file, too: the name is counted, and not looked for once for each."""
    lines = [f'"t{number}": 1' for number in range(40_000)]
    data = f"{{{', '.join([*lines, lines[-1]])}}}".encode()
    before = time.process_time()

    with pytest.raises(RangeFileError, match="`t39999` stands there twice"):
        table(data)
    assert time.process_time() - before < 5
