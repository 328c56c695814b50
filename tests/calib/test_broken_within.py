"""Samples that spoil a calibration within the model."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.calib.broken_samples import find_broken_samples
from trtbuild.calib.broken_within import collect_sound_within, find_dwarfed
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import observing
from trtbuild.calib.pool import Pool
from trtbuild.data.base import Sample

NET = "g (float[n, 3] x) => (float[n, 3] y) { y = Exp(x) }"


@pytest.fixture
def collect(tmp_path):
    """Collect samples of one value each; `whole` tensors keep all, and count none."""

    def run(values, *, batch="n", whole=()):
        samples = [Sample(f"s{i}", {"x": np.full(3, each, "f4")}) for i, each in enumerate(values)]
        model = model_of(NET.replace("[n,", f"[{batch},"), {})
        with observing(model, ["x", "y"], folder=tmp_path) as (observer, feeder):
            return collect_sound_within(
                observer,
                lambda: feeder.feeds(samples),
                {name: name not in whole for name in ("x", "y")},
                find_broken_samples({"x": tuple(map(abs, values))}),
                whole=whole,
                pool=Pool(1),
                progress=lambda _: None,
            )

    return run


def test_a_sample_is_left_out_that_dwarfs_the_others_within(collect):
    """e^14 beside e^1 is 442413 times as large, though 14 beside 1 is not 16 times."""
    found = collect([1, 1, 1, 14, 1, 1, 1, 1])

    assert (8, 1, {3}) == (found.samples, found.left_out, set(found.broken))
    assert pytest.approx(np.e) == found.histograms["y"].high
    (warning,) = found.warnings
    assert warning.startswith(
        "sample 3 (`s3`) holds 1.2026e+06 in `y`, 4.424e+05 times the largest"
    )


def test_a_tensor_that_keeps_all_values_is_told_of_too(collect):
    """minmax counts none; which sample it is shows all the same."""
    found = collect([1, 1, 1, 14, 1, 1, 1, 1], whole=["x", "y"])

    assert np.exp(14) == pytest.approx(found.histograms["y"].high)
    assert "only minmax keeps it" in found.warnings[0]


def test_one_that_is_broken_in_an_input_is_not_sought_again(collect):
    """88 is 16 times 5.5; among the rest, e^5.5 is 148 times e^0.5."""
    found = collect([*[0.5] * 34, 5.5, 88])

    assert {34, 35} == set(found.broken)
    assert ["`x`", "`y`"] == sorted(text.split(" in ")[1].split(",")[0] for text in found.warnings)


def test_a_whole_run_goes_where_the_batch_is_fixed(collect):
    """Nobody knows which of the two samples it was."""
    assert {2, 3} == set(collect([*[1] * 3, 14, *[1] * 12], batch=2).broken)


@pytest.mark.parametrize("values", [[1, 1, 1, 5, 1, 1, 1, 1], [1, 1, 1, 14, 1, 1, 1], [1, 14] * 8])
def test_others_stay(values, collect):
    """e^4 is 55 times; of seven, nobody knows the odd one; eight of sixteen are no accident."""
    found = collect(values)

    assert (0, (), frozenset()) == (found.left_out, found.warnings, found.broken)


def test_the_largest_of_each_array_tell_what_dwarfs_the_rest():
    """In any order, and in histograms that are merged; beside 0 anything is large."""
    one, other, quiet = Histogram(), Histogram(counted=False), Histogram()
    for histogram, values in ((one, [1, 300]), (other, [2, -500]), (quiet, [0, 5])):
        for value in values:
            histogram.add(np.full(2, value, np.float32))
    one.merge(other)

    assert (500.0, 300.0, 2.0, 1.0) == one.tops
    assert ["y"] == find_dwarfed({"y": one, "z": quiet})
