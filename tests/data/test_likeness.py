"""Whether two data sets hold values of one scale."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.data.base import Manifest, Sample
from trtbuild.data.likeness import find_repeated_samples, find_shared_samples, find_unlike_scales
from trtbuild.data.survey import Survey


def manifest(values, dtype=np.float32):
    survey = Survey()
    survey.add(Sample("a", {"x": np.asarray(values, dtype)}))
    return survey.manifest()


UNIFORM = np.linspace(0, 1, 101)
NORMALIZED = (UNIFORM - 0.45) / 0.22


@pytest.mark.parametrize(
    ("found", "one", "other"),
    [
        (0, UNIFORM, UNIFORM**2),
        (0, UNIFORM, UNIFORM / 3),
        (1, UNIFORM * 255, UNIFORM),
        (1, UNIFORM, NORMALIZED),
        (1, UNIFORM, UNIFORM * 2 - 1),
        (1, UNIFORM * 255, UNIFORM * 255 - 110),
        (0, UNIFORM * 255 - 104, UNIFORM * 255 - 124),
        (1, UNIFORM + 9, UNIFORM),
        (0, NORMALIZED, NORMALIZED * 2),
        (0, UNIFORM[:9] * 255, UNIFORM[:9]),
        (0, UNIFORM * 0, UNIFORM),
    ],
)
def test_bytes_normalized_values_and_shares_are_told_apart(found, one, other):
    """In either order; not a darker picture, nor a few numbers, nor an input of zeros."""
    for pair in ((one, other), (other, one)):
        assert found == len(list(find_unlike_scales(*map(manifest, pair))))


def test_both_sides_are_told():
    """Least, largest, mean and deviation, as calibration and comparison have them."""
    (told,) = find_unlike_scales(manifest(UNIFORM * 255), manifest(UNIFORM))

    assert told.startswith("`x`: calibration saw 0 to 255 (mean 128, deviation 74.3), the ")
    assert told.endswith("comparison sees 0 to 1 (mean 0.5, deviation 0.292)")


def test_identifiers_have_no_scale():
    """Two texts may have other words."""
    one, other = (manifest(np.arange(99) * times, np.int64) for times in (1, 300))

    assert [] == list(find_unlike_scales(one, other))


@pytest.mark.parametrize(("said", "shared"), [("", 0), ("", 9), ("10 of the 100 samples", 10)])
def test_samples_that_calibration_saw_are_counted(said, shared):
    """Under whatever name or path they are; a few may be pictures that a set holds twice."""
    seen = Manifest(count=100, samples=tuple(map(str, range(100))), tensors=(), labelled=False)
    others = tuple(str(100 + each - shared) for each in range(100))
    told = find_shared_samples(seen, seen.model_copy(update={"samples": others}))

    assert said == told[: len("10 of the 100 samples")]


@pytest.mark.parametrize(("found", "scale"), [(0, 1), (1, 255)])
def test_a_broken_sample_hides_no_other_scale_and_makes_none(found, scale):
    """What is usual in the samples is held against each other then, and not what one decides."""
    one, other = Survey(), Survey()
    for place in range(9):
        one.add(Sample("a", {"x": (UNIFORM * (8000 if place == 4 else 1)).astype("f4")}))
        other.add(Sample("a", {"x": (UNIFORM * scale).astype("f4")}))

    pair = one.manifest(), other.manifest()
    assert 1 == len(list(find_unlike_scales(*pair)))
    assert found == len(list(find_unlike_scales(*pair, broken={"x"})))


@pytest.mark.parametrize(("said", "samples"), [("", "abcd"), ("", "aabb"), ("the 5", "aabbb")])
def test_the_same_samples_again_are_told(said, samples):
    """Where fewer than half are different ones: a set may well hold a picture twice."""
    found = Manifest(count=len(samples), samples=tuple(samples), tensors=(), labelled=False)

    assert said == find_repeated_samples(found)[: len("the 5")]
