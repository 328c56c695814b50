"""Ranges: manual bounds are laid over by one rule."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.quantized_types import INT8
from trtbuild.core.values import Range, Ranges

NAMES = ["input", "/layer4/conv/out", "/layer4/relu/out", "/layer3/relu/out", "odd[0]"]
EMPTY = Ranges(tensors={})


def limits(ranges):
    return {name: each.limit for name, each in ranges.tensors.items()}


def test_a_manual_range_wins_over_the_calibrator():
    """And keeps what calibration saw of the tensor."""
    table = Ranges(
        tensors={
            "input": Range(
                low=-1, high=1, origin="calibrated", calibrator="mse", observed=(-3.0, 2.0)
            )
        }
    )

    found = table.override({"input": (-2.5, 2.0)}, NAMES).tensors["input"]

    assert (-2.5, 2.0, "manual", None) == (found.low, found.high, found.origin, found.calibrator)
    assert ((-3.0, 2.0), None, "input") == (found.observed, found.clipped, found.entry)


def test_a_range_that_holds_all_that_was_seen_clips_nothing():
    """A share needs the histogram, but for this one."""
    seen = Range(low=-1, high=1, origin="calibrated", observed=(-3.0, 2.0), clipped=0.1)

    assert 0.0 == seen.replace(-3.0, 3.0, "manual").clipped
    assert seen.replace(-2.9, 2.9, "manual").clipped is None


def test_a_table_of_an_earlier_build_keeps_what_it_says():
    """The histogram is gone, and the range is the same."""
    told = Range(low=-1, high=1, origin="manual", entry="input", observed=(-3.0, 2.0), clipped=0.1)
    table = Ranges(tensors={"input": told})

    assert table == table.override({"input": (-1.0, 1.0)}, NAMES)


def test_the_limit_is_the_largest_absolute_value():
    """As TensorRT makes a dynamic range symmetric: 127 * scale = max(|low|, |high|)."""
    found = EMPTY.override({"input": (-2.0, 254.0)}, NAMES).tensors["input"]

    assert (254.0, 2.0) == (found.limit, found.scale_in(INT8))


@pytest.mark.parametrize("order", [1, -1])
def test_a_name_wins_over_a_pattern_and_a_part_over_the_whole(order):
    """In whatever order they are written."""
    entries = {
        "*": (-1.0, 1.0),
        "/layer4/*": (-2.0, 2.0),
        "*/relu/*": (-3.0, 3.0),
        "/layer4/relu/out": (-4.0, 4.0),
    }
    manual = dict(list(entries.items())[::order])

    assert {
        "input": 1.0,
        "odd[0]": 1.0,
        "/layer4/conv/out": 2.0,
        "/layer3/relu/out": 3.0,
        "/layer4/relu/out": 4.0,
    } == limits(EMPTY.override(manual, NAMES))


@pytest.mark.parametrize("second", ["*/relu/*", "/layer?/*", "/layer[3-4]/*"])
def test_two_patterns_that_only_overlap_are_an_error(second):
    """Neither is more specific; the same meaning in other words is no more specific either."""
    with pytest.raises(StepInputError, match="`/layer4/relu/out` has two ranges") as caught:
        EMPTY.override({"/layer[34]/*": (-2.0, 2.0), second: (-3.0, 3.0)}, NAMES[2:3])

    assert "by its name" in caught.value.hint


def test_a_files_names_stand_between_names_and_patterns():
    """What the recipe says of a tensor by name is nearest; a file's patterns are mere names."""
    filed = {"input": (-5.0, 5.0), "/layer3/relu/out": (-6.0, 6.0), "*": (-7.0, 7.0)}

    found = EMPTY.override(
        {"input": (-1.0, 1.0), "/layer*": (-2.0, 2.0)}, NAMES, filed=filed, file="limits.txt"
    )

    assert {
        "input": 1.0,
        "/layer3/relu/out": 6.0,
        "/layer4/conv/out": 2.0,
        "/layer4/relu/out": 2.0,
    } == limits(found)
    assert "limits.txt" == found.tensors["/layer3/relu/out"].entry
