"""Samples that spoil a calibration."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.calib.broken_samples import (
    BrokenSample,
    collect_sound,
    find_broken_samples,
    find_lost_inputs,
)
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import observing
from trtbuild.calib.pool import Pool
from trtbuild.core.values import Range
from trtbuild.data.base import Sample

NET = "g (float[n, 3] x) => (float[n, 3] y) { y = Relu(x) }"


def peaks(*values):
    return {"x": tuple(float(value) for value in values)}


@pytest.mark.parametrize(
    ("expected", "values"),
    [
        ([3], [1, 1, 1, 16, 1, 1, 1, 1]),
        ([], [1, 1, 1, 15.9, 1, 1, 1, 1]),
        ([], [1, 1, 16, 1, 1, 1, 1]),  # of seven, nobody knows
        ([], [1, 20, 20, 1, 1, 1, 1, 1, 1]),  # two of nine are no accident
        ([0, 7], [20, *[1] * 6, 40, *[1] * 192]),  # two of two hundred are
        ([0, 1, 2], [128, 200, 128, *[1] * 61]),  # three of 64, beside which all are nothing
        ([], [127, 200, 128, *[1] * 61]),
        ([], [*[200] * 4, *[1] * 60]),  # more of them are how the data is
        ([], [0] * 7 + [5]),  # beside nothing, anything is large
    ],
)
def test_a_sample_is_broken_that_dwarfs_all_others(expected, values):
    """One in a hundred, by sixteen times, or five by 128, where there are eight or more."""
    assert expected == sorted(find_broken_samples(peaks(*values)))


def test_a_broken_sample_is_told_with_what_it_is_beside():
    """The input, and both largest values."""
    assert {2: BrokenSample(2, "x", 80.0, 4.0)} == find_broken_samples(
        peaks(4, 1, 80, 1, 1, 1, 1, 1) | {"y": (1.0,) * 8}
    )


@pytest.fixture
def collected(tmp_path):
    """Collect nine samples of which one holds 8000; `whole` tensors keep it."""

    def collect(whole=()):
        values = [1, 1, 1, 1, 8000, 1, 1, 1, 1]
        samples = [Sample(f"s{i}", {"x": np.full(3, each, "f4")}) for i, each in enumerate(values)]
        found = {name: Histogram(counted=name not in whole) for name in ("x", "y")}
        broken = find_broken_samples(peaks(*values))
        with observing(model_of(NET, {}), ["x", "y"], folder=tmp_path) as (observer, feeder):
            told = collect_sound(
                observer,
                feeder.feeds(samples),
                found,
                broken,
                whole=whole,
                pool=Pool(1),
                progress=lambda _: None,
            )
        return told, found

    return collect


def test_a_broken_sample_counts_for_no_tensor(collected):
    """Behind the input neither; it is named, with what it would have done."""
    (consumed, left_out, (warning,)), found = collected()

    assert (9, 1) == (consumed, left_out)
    assert [1.0, 1.0] == [found["x"].high, found["y"].high]
    assert warning.startswith("sample 4 (`s4`) holds 8000 in `x`, 8000 times the largest value")
    assert "99.9 % of the values of `x` round to 0" in warning
    assert "it was left out of the calibration" in warning


def test_what_keeps_all_values_keeps_those(collected):
    """minmax: the others leave it out all the same, and the warning says so."""
    (_, _, (warning,)), found = collected(whole=["y"])

    assert [1.0, 8000.0] == [found["x"].high, found["y"].high]
    assert "only minmax keeps it" in warning


def test_an_input_that_rounds_to_nothing_is_told():
    """Where more than a broken sample is the cause; nothing is said of one that is fine."""
    seen = Histogram()
    seen.add(np.array([1.0] * 9999 + [8000.0], np.float32))
    ranges = {"x": Range(low=0.0, high=8000.0, origin="calibrated")}

    (told,) = find_lost_inputs(peaks(1, 8000), {"x": seen}, ranges)

    assert told.startswith("99.9 % of the values of `x` round to 0 in INT8 (in FP8 what is below")
    assert "1/458752 of the limit): its limit is 8000, and" in told
    assert "sample 1 holds 8000" in told
    fine = {"x": Range(low=0.0, high=1.0, origin="calibrated")}
    assert [] == list(find_lost_inputs(peaks(1, 8000), {"x": seen}, fine))
