from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.quant import ranges_of
from trtbuild.plan.range_diff import RangeDiff, compare_ranges

limits = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1e300), max_size=6)


def test_what_moved_is_told_worst_first():
    """A tensor without a range is worse than any move; the ratio is after / before."""
    before = ranges_of(same=1.0, wider=2.0, narrower=8.0, gone=1.0, nothing=0.0)
    after = ranges_of(same=1.0, wider=3.0, narrower=1.0, came=1.0, nothing=0.0)

    found = compare_ranges(before, after)

    assert ["came", "gone", "narrower", "wider"] == [each.tensor for each in found.moved]
    came, gone, narrower, wider = found.moved
    assert (None, 1.0, None, None) == (came.before, came.after, came.ratio, came.bits_lost)
    assert (1.0, None) == (gone.before, gone.after)
    assert (0.125, -3.0) == (narrower.ratio, narrower.bits_lost)
    assert (1.5, 0.585) == (wider.ratio, round(wider.bits_lost, 3))
    assert (2, True) == (found.same, found.differ)


def test_scales_are_compared_as_the_engine_has_them():
    """A limit that went through a calibration cache is another float64, and the same scale."""
    limit = 4.088956832885742
    (scale,) = struct.unpack("<f", struct.pack("<f", limit / 127))

    assert scale * 127 != limit
    assert not compare_ranges(ranges_of(x=limit), ranges_of(x=scale * 127)).differ


@pytest.mark.parametrize(("tolerance", "differ"), [(0.0, True), (0.4, True), (0.5, False)])
def test_a_tolerance_is_a_share_of_the_smaller(tolerance, differ):
    """3 is half as much again as 2, whichever comes first."""
    two, three = ranges_of(x=2.0), ranges_of(x=3.0)

    assert differ == compare_ranges(two, three, tolerance=tolerance).differ
    assert differ == compare_ranges(three, two, tolerance=tolerance).differ


@given(limits, limits, st.floats(0, 1))
def test_the_other_way_round_it_is_the_same_with_signs_turned(one, other, tolerance):
    """What one loses the other wins."""
    there = compare_ranges(ranges_of(**one), ranges_of(**other), tolerance=tolerance)
    back = compare_ranges(ranges_of(**other), ranges_of(**one), tolerance=tolerance)

    assert there.same == back.same
    assert {each.tensor: (each.before, each.after) for each in there.moved} == {
        each.tensor: (each.after, each.before) for each in back.moved
    }
    assert len(one.keys() | other.keys()) == there.same + len(there.moved)
    assert there == RangeDiff.model_validate_json(there.model_dump_json())


@given(limits)
def test_a_table_does_not_differ_from_itself(one):
    """Whatever it holds."""
    assert not compare_ranges(ranges_of(**one), ranges_of(**one)).differ
