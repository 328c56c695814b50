"""What all samples must have in common."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.data.base import Sample, SizeSpan
from trtbuild.data.survey import Survey, digest_of_sample


def surveyed(*samples):
    survey = Survey()
    for index, (arrays, label) in enumerate(samples):
        survey.add(Sample(f"s{index}", arrays, label))
    return survey


def test_a_manifest_counts_and_describes():
    """Count, digests, tensors sorted by name, labels."""
    arrays = {"b": np.zeros((2, 3), np.float32), "a": np.zeros((), np.int64)}

    manifest = surveyed((arrays, 1), (arrays, 0)).manifest()

    assert (2, True, (1, 0)) == (manifest.count, manifest.labelled, manifest.labels)
    assert [("a", "int64", ()), ("b", "float32", (2, 3))] == [
        (spec.name, spec.dtype, spec.shape) for spec in manifest.tensors
    ]
    assert manifest.samples[0] == digest_of_sample(Sample("other name", arrays, 1))


def test_a_digest_tells_samples_apart():
    """Value, dtype, shape, name and label count; byte order and memory order do not."""
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    same = [array, array.astype(">i4"), np.asfortranarray(array)]
    different = [array + 1, array.astype(np.uint32), array.reshape(3, 2)]

    assert 1 == len({digest_of_sample(Sample("s", {"x": each})) for each in same})
    assert 6 == len(
        {
            *(digest_of_sample(Sample("s", {"x": each})) for each in [array, *different]),
            digest_of_sample(Sample("s", {"y": array})),
            digest_of_sample(Sample("s", {"x": array}, 0)),
        }
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.nan, "holds 1 NaN and 0 infinite values"),
        (np.inf, "holds 0 NaN and 1 infinite values"),
        (-np.inf, "holds 0 NaN and 1 infinite values"),
    ],
)
def test_values_that_are_not_finite_are_refused(value, told):
    """Sample, input, how many, and the first place."""
    bad = np.zeros((2, 3), np.float16)
    bad[1, 2] = value

    with pytest.raises(StepInputError) as caught:
        surveyed(({"x": np.zeros_like(bad)}, None), ({"x": bad}, None))

    assert f"s1: input `x` {told}, the first at [1, 2]" == caught.value.message


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (
            {"x": np.zeros((2, 1))},
            "s1: its `x` is float64 [2, 1]; in the samples before it is float64 [2]",
        ),
        (
            {"x": np.zeros(2, np.int8)},
            "s1: its `x` is int8 [2]; in the samples before it is float64 [2]",
        ),
        ({"y": np.zeros(2)}, "s1: its `x` is missing; in the samples before it is float64 [2]"),
        (
            {"x": np.zeros(2), "z": np.zeros(1)},
            "s1: its `z` is float64 [1]; in the samples before it is missing",
        ),
    ],
)
def test_an_odd_sample_is_named(odd, message):
    """With what it is, and what the others are."""
    with pytest.raises(StepInputError) as caught:
        surveyed(({"x": np.zeros(2)}, None), (odd, None))

    assert message == caught.value.message


def test_sizes_in_which_samples_differ_are_spans():
    """With the first sample that is unlike the first of all; other axes stay as they are."""
    shapes = [(2, 5), (2, 5), (2, 9), (2, 4)]
    found = surveyed(*(({"x": np.zeros(shape)}, None) for shape in shapes)).manifest()

    assert [(2, "4..9")] == [spec.shape for spec in found.tensors]
    assert [SizeSpan(tensor="x", axis=1, least=4, most=9, first=2)] == list(found.sizes)


def test_no_samples_are_an_error():
    """A manifest of nothing is never written."""
    with pytest.raises(StepInputError, match="the data holds no samples"):
        Survey().manifest()
