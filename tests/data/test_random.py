from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tests.helpers.sources import capture, source_of
from trtbuild.data.random import Random

NOISE = '{"kind": "random", "count": 3, "inputs": {"x": {"shape": [1000], "low": -2, "high": 6}}}'


def test_values_fill_the_limits():
    """Evenly from -2 to 6: a mean of 2, and a standard deviation of 8 / sqrt(12) = 2.31."""
    values = np.concatenate([each.arrays["x"] for each in source_of(NOISE).samples(())])

    assert (3000,) == values.shape
    assert np.float32 == values.dtype
    assert -2 <= values.min() < -1.9
    assert 5.9 < values.max() < 6
    assert 2 == pytest.approx(values.mean(), abs=0.2)
    assert 2.31 == pytest.approx(values.std(), abs=0.1)


def test_samples_and_seeds_differ():
    """No two samples are equal, nor are those of another seed."""
    other = source_of(NOISE).model_copy(update={"seed": 1})
    first = [
        each.arrays["x"].tobytes() for each in (*source_of(NOISE).samples(()), *other.samples(()))
    ]

    assert 6 == len(set(first))


def test_more_samples_leave_the_first_as_they_are():
    """Each is drawn from the seed and its own number."""
    few, many = source_of(NOISE), source_of(NOISE).model_copy(update={"count": 9})

    for one, other in zip(few.samples(()), many.samples(()), strict=False):
        assert np.array_equal(one.arrays["x"], other.arrays["x"])


def test_integers_stay_below_high():
    """Token ids 0, 1 and 2, and never 3."""
    text = '{"kind": "random", "inputs": {"ids": {"shape": [500], "dtype": "int32", "high": 3}}}'
    sample = next(iter(source_of(text).samples(())))

    assert "int32" == sample.arrays["ids"].dtype.name
    assert {0, 1, 2} == set(sample.arrays["ids"].tolist())


def test_bytes_are_drawn_as_pictures_have_them():
    """From 0 to 255."""
    text = '{"kind": "random", "inputs": {"x": {"shape": [500], "dtype": "uint8", "high": 256}}}'
    drawn = next(source_of(text).samples(())).arrays["x"]

    assert np.uint8 == drawn.dtype
    assert 250 < drawn.max()


def test_one_number_is_an_array_too():
    """A temperature, a number of steps: what runs a model takes arrays alone."""
    text = '{"kind": "random", "count": 1, "inputs": {"t": {"shape": []}}}'
    (sample,) = source_of(text).samples(())

    assert (np.ndarray, ()) == (type(sample.arrays["t"]), sample.arrays["t"].shape)


def test_everything_made_from_it_says_so(tmp_path):
    """The capture leaves a caveat, which all that follows inherits."""
    _, context = capture(source_of(NOISE), tmp_path, tmp_path / "out")

    assert ["random data"] == context.events.caveats


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"shape": (2,), "low": 1, "high": 1}, r"`low` \(1\) must lie below `high` \(1\)"),
        ({"shape": (2,), "dtype": "int64", "high": 1.5}, "must be whole numbers"),
        ({"shape": (2,), "dtype": "uint8", "high": 300}, "uint8 lie from 0 to 256"),
        ({"shape": (2**16, 2**15)}, "asks for 2147483648 values"),
    ],
)
def test_what_cannot_be_drawn_is_refused(asked, told):
    """Told when the recipe is read."""
    with pytest.raises(ValidationError, match=told):
        Random(kind="random", inputs={"x": asked})
