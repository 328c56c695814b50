"""TensorRT's calibration cache, byte by byte."""

from __future__ import annotations

import contextlib
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.calib.trt_cache import (
    TrtCache,
    bytes_from_cache,
    cache_from_bytes,
    number_from_version,
    version_from_number,
)
from trtbuild.core.errors import RangeFileError

REAL = b"""TRT-101401-EntropyCalibration2
input: 3caa54fc
(Unnamed Layer* 64) [Shuffle]_output: 0
model/a:0: 3c010204
/layer1/conv1/Conv_output_0: 2b8cbccc
"""
SMALLEST, LARGEST = 0x00800000, 0x7F7FFFFF

names = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1, max_size=20
).filter(str.strip)
bits = st.just(0) | st.integers(SMALLEST, LARGEST)


def float_of(number):
    return struct.unpack(">f", number.to_bytes(4, "big"))[0]


def lines(*rows):
    return "\n".join(["TRT-8601-EntropyCalibration2", *rows]).encode()


def test_a_real_cache_reads_as_nvidia_writes_it():
    """3c010204 is 1 / 127, of an input in [0, 1]; 3caa54fc is ImageNet's 2.64 / 127."""
    cache = cache_from_bytes(REAL)

    assert ("10.14.1", "EntropyCalibration2", "entropy2") == (
        cache.version,
        cache.algorithm,
        cache.calibrator,
    )
    assert ["input", "(Unnamed Layer* 64) [Shuffle]_output", "model/a:0"] == list(cache.scales)[:3]
    assert 2.6406 == pytest.approx(cache.scales["input"] * 127, abs=5e-5)
    assert float_of(0x3C010204) == cache.scales["model/a:0"] == float_of_nearest(1 / 127)
    assert 0.0 == cache.scales["(Unnamed Layer* 64) [Shuffle]_output"]


def float_of_nearest(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


@pytest.mark.parametrize(
    "name", ["a: b", "a: 3c010204", ": ", "x:0", " padded ", "a:", "#", "TRT-1-A"]
)
def test_a_name_is_all_before_the_last_colon(name):
    """Names hold colons, spaces and brackets; none of it is trimmed."""
    assert [name] == list(cache_from_bytes(lines(f"{name}: 3c010204")).scales)


def test_what_is_read_is_written_again_byte_for_byte():
    """Order, unpadded digits and all."""
    assert REAL == bytes_from_cache(cache_from_bytes(REAL))


@given(st.dictionaries(names, bits, max_size=8), st.sampled_from([7103, 8601, 100300, 101601]))
def test_every_scale_keeps_its_bits(table, number):
    """Names may hold anything but the end of a line; scales are float32, bit for bit."""
    cache = TrtCache(number, "MinMaxCalibration", {name: float_of(b) for name, b in table.items()})

    data = bytes_from_cache(cache)
    again = cache_from_bytes(data)

    assert cache == again
    assert list(cache.scales) == list(again.scales)
    assert data == bytes_from_cache(again)
    assert [f"{name}: {b:x}" for name, b in table.items()] == data.decode().split("\n")[1:-1]


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_surprise_the_reader(data):
    """Anything is a cache or a message."""
    for content in (data, b"TRT-8601-EntropyCalibration2\n" + data):
        with contextlib.suppress(RangeFileError):
            assert isinstance(cache_from_bytes(content), TrtCache)


@pytest.mark.parametrize(
    ("number", "version"),
    [
        (5105, "5.1.5"),
        (7000, "7.0.0"),
        (7103, "7.1.3"),
        (8401, "8.4.1"),
        (8501, "8.5.1"),
        (8602, "8.6.2"),
        (9300, "9.3.0"),
        (100300, "10.3.0"),
        (101401, "10.14.1"),
        (101601, "10.16.1"),
        (110401, "11.4.1"),
    ],
)
def test_the_number_of_a_version(number, version):
    """major * 1000 + minor * 100 + patch up to TensorRT 9; major * 10000 since then."""
    assert version == version_from_number(number)
    assert number == number_from_version(version)


def test_a_build_number_is_left_out():
    """10.16.1.11 writes what 10.16.1 writes."""
    assert 101601 == number_from_version("10.16.1.11")


@pytest.mark.parametrize("version", ["10", "10.16", "v10.16.1", "8.10.1", "10.3.100", "0.1.2", ""])
def test_what_is_no_version_is_refused(version):
    """8.10.1 would be 9001, which is TensorRT 9.0.1."""
    with pytest.raises(ValueError, match="TensorRT"):
        number_from_version(version)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_editors_of_windows_do_no_harm(end, bom):
    """CRLF, a byte order mark, empty lines at the end, padding, capitals."""
    text = bom + end.join(["TRT-8601-MinMaxCalibration", "a: 3C010204", "b: 00800000", "", ""])

    assert {"a": float_of(0x3C010204), "b": float_of(SMALLEST)} == cache_from_bytes(
        text.encode()
    ).scales


@pytest.mark.parametrize(
    "value", ["0", " 0", "", " ", "7f800000", "ff800000", "7fc00000", "ffc00000", "80000000"]
)
def test_what_says_nothing_is_zero(value):
    """0 in TensorRT's caches, no digits in other tools', infinity and NaN behind Log and masks."""
    cache = cache_from_bytes(lines(f"a:{value}" if not value else f"a: {value}", "b: 3c010204"))

    assert {"a": 0.0, "b": float_of(0x3C010204)} == cache.scales


@pytest.mark.parametrize(
    ("number", "version"), [("8XXX", "8.x"), ("10XXXX", "10.x"), ("86XX", "8.x")]
)
def test_a_header_may_leave_the_version_open(number, version):
    """As PaddlePaddle's exporters do, with a space at its end; it is written again as it was."""
    data = f"TRT-{number}-EntropyCalibration2 \na: 3c010204\n".encode()

    cache = cache_from_bytes(data)

    assert (version, number) == (cache.version, cache.number)
    assert data.replace(b" \n", b"\n") == bytes_from_cache(cache)


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"", "line 1 is not the header", "TRT-101401"),
        (b"input: 3caa54fc\n", "line 1 is not the header", "TRT-101401"),
        (b"TRT-x-EntropyCalibration2\n", "line 1 is not the header", ""),
        (b"TRT-8601-\xff\xfe\n", "is not text", "timing cache"),
        (b"ptrt\0\0", "is not text", "timing cache"),
        (lines("a"), "line 2 is not of the form", "one tensor a line"),
        (lines("", "a:3c010204"), "line 3 is not of the form", "one tensor a line"),
        (lines(": 3c010204"), "line 2 is not of the form", ""),
        (lines(" : : "), "line 2 is not of the form", ""),
        (lines("a: 3c01020400"), "not a hexadecimal number of 1 to 8 digits", ""),
        (lines("a: 0x3c01"), "not a hexadecimal number", ""),
        (lines("a: 3c", "b: 3c010204"), "line 2: `a`: the scale with the bits 3c is too small", ""),
        (lines("a: 4.6586"), "decimal number 4.6586", "remove line 1"),
        (lines("a:4.6586"), "decimal number 4.6586", "remove line 1"),
        (lines("a: 1e-05"), "decimal number 1e-05", "remove line 1"),
        (lines("a: bc010204"), "bc010204 is negative", ""),
        (lines("a: 80000001"), "negative", ""),
        (lines("a: 0", "b: 0", "a: 0"), "line 4: `a` stands in line 2 already", "remove one"),
    ],
)
def test_what_holds_no_scale_is_refused(data, message, hint):
    """With the file, the line and the tensor."""
    with pytest.raises(RangeFileError) as caught:
        cache_from_bytes(data, file="old.cache")

    assert message in caught.value.message
    assert caught.value.message.startswith("old.cache: ")
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "scale"),
    [("a\nb", 1.0), ("", 1.0), ("a", math.inf), ("a", math.nan), ("a", -1.0), ("a", 1e39),
     ("a", 1e-40)],
)  # fmt: skip
def test_what_would_not_read_back_is_not_written(name, scale):
    """Neither names that break the line nor numbers that are no scale."""
    with pytest.raises(RangeFileError):
        bytes_from_cache(TrtCache(101601, "EntropyCalibration2", {name: scale}))
