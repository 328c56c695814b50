"""Every form in which ranges are written is read again, and means the same."""

from __future__ import annotations

import struct
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.quant import ranges_of
from trtbuild.calib.range_file import table_from_bytes
from trtbuild.calib.range_import import select_ranges
from trtbuild.plan.range_diff import compare_ranges
from trtbuild.verbs.range_files import RangeFileForm, write_range_file

names = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1, max_size=12
).filter(lambda name: name.strip() and not name.lstrip().startswith(('{"', "{}", "TRT-", "\ufeff")))
limits = st.dictionaries(names, st.floats(1e-30, 1e30) | st.just(0.0), min_size=1, max_size=6)


def written(ranges, form):
    return write_range_file(ranges, form, version="8.6.1", algorithm="minmax")


@pytest.mark.parametrize("form", get_args(RangeFileForm))
@given(limits)
def test_what_is_written_is_known_and_means_the_same(form, table):
    """Whatever the tensors are called: the same names, and as float32 the same scales."""
    ranges = ranges_of(**table)

    found = table_from_bytes(written(ranges, form), file="it", values="scale")

    assert form == found.form
    assert sorted(table) == list(found.ranges.tensors)
    assert not compare_ranges(ranges, found.ranges).differ


@pytest.mark.parametrize("form", get_args(RangeFileForm))
@given(limits)
def test_once_read_it_is_written_the_same(form, table):
    """Byte for byte, by way of the table that an import makes of it."""
    first = written(ranges_of(**table), form)
    found = table_from_bytes(first, file="it", values="scale")

    again = written(select_ranges(found, found.ranges.tensors), form)

    assert again == written(table_from_bytes(again, file="it", values="scale").ranges, form)
    if form != "json":
        assert first == again


@given(st.floats(1e-30, 1e30))
def test_the_scale_is_nvidias(limit):
    """float32(limit) / 127 in float32, as sampleINT8 computes it, and limit / 127 rounded once."""
    (rounded,) = struct.unpack("<f", struct.pack("<f", limit))
    line = written(ranges_of(x=rounded), "tensorrt").decode().splitlines()[1]

    numpy = pytest.importorskip("numpy")
    theirs = numpy.float32(rounded) / numpy.float32(127)

    assert f"x: {theirs.view(numpy.uint32):x}" == line
