from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import Feeder, demand_fit

X = TensorSpec(name="x", dtype="float32", shape=("N", 2))


@dataclass
class Sample:
    """What feeds are made of."""

    name: str
    arrays: dict


def sample(name, shape=(2,), dtype=np.float32, key="x"):
    return Sample(name, {key: np.ones(shape, dtype)})


def feeds(*samples, inputs=(X,)):
    return list(Feeder(inputs).feeds(samples))


def spec(*shape, name="x", dtype="float32"):
    return TensorSpec(name=name, dtype=dtype, shape=shape)


def test_samples_are_grouped_in_order():
    """Two batches of two, the batch axis first."""
    found = feeds(*(sample(str(i)) for i in range(4)), inputs=(spec(2, 2),))

    assert [("0", "1"), ("2", "3")] == [feed.samples for feed in found]
    assert [(2, 2), (2, 2)] == [feed.arrays["x"].shape for feed in found]


def test_a_remainder_is_an_error():
    """No sample is dropped or padded."""
    with pytest.raises(StepInputError, match="takes 2 samples at once, and 3 samples") as error:
        feeds(*(sample(str(i)) for i in range(3)), inputs=(spec(2, 2),))

    assert "take 2 samples" in error.value.hint


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (sample("a.png", dtype=np.float64), r"`x` is float64 \[2\]; it must be float32 \[2\]"),
        (sample("a.png", dtype=np.uint8), r"`x` is uint8 \[2\]; it must be float32 \[2\]"),
        (sample("a.png", key="y"), "`y` is no input of the model, which has x"),
        (Sample("a.png", {}), "there is no array for the input `x`"),
        (sample("a.png", shape=(3,)), r"`x` is float32 \[3\]; it must be float32 \[2\]"),
        (sample("a.png", shape=(1, 2)), r"`x` is float32 \[1, 2\]"),
    ],
)
def test_what_does_not_fit_is_named(bad, message):
    """A wrong dtype, name or shape is an error that names the sample; nothing is converted."""
    with pytest.raises(StepInputError, match=message) as error:
        feeds(sample("good"), bad)

    assert "a.png" in error.value.message


def test_a_batch_needs_one_shape():
    """Samples that differ where the model is dynamic cannot share a batch."""
    free = TensorSpec(name="x", dtype="float32", shape=(2, "L"))
    with pytest.raises(StepInputError, match="samples a to b make one batch"):
        feeds(sample("a", (3,)), sample("b", (4,)), inputs=(free,))


def test_an_open_batch_is_one_sample():
    """So that no sample's numbers rest on its neighbours."""
    assert (1, 4) == (Feeder([X]).batch, Feeder([spec(4, 2), spec("N", name="y")]).batch)


def test_rounding_is_for_half_alone():
    """float32 becomes the float16 that the model takes; 2049 lies between two of its numbers."""
    half = spec("N", 1, dtype="float16")
    (found,) = feeds(Sample("a", {"x": np.array([2049], np.float32)}), inputs=(half,))
    with pytest.raises(StepInputError, match="is float64"):
        feeds(sample("a", (1,), np.float64), inputs=(half,))

    assert ("float16", 2048) == (found.arrays["x"].dtype, found.arrays["x"].item())


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([spec(2, 2), spec(1, 2, name="k")], r"disagree on the batch: `x` \[2, 2\], `k` \[1, 2\]"),
        ([spec("N", dtype="bfloat16")], "input `x` is bfloat16; NumPy has no such array"),
        ([spec("N", dtype="object")], "input `x` is object"),
    ],
)
def test_inputs_that_no_sample_fits_are_refused_at_once(inputs, message):
    """Before any data is read."""
    with pytest.raises(StepInputError, match=message):
        Feeder(inputs)


def test_a_sample_lacks_the_batch_axis():
    """What has none is brought whole."""
    assert [(2,), ()] == [each.shape for each in Feeder([X, spec(name="k")]).samples]


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ({}, "there is no array for the input `x`"),
        ({"x": (1, 2), "y": (1,)}, "`y` is no input of m.onnx, which has x"),
        ({"x": (1, 3)}, r"`x` is float32 \[1, 3\]; it must be float32 \[N, 2\]"),
    ],
)
def test_whole_arrays_are_held_to_the_inputs(feed, message):
    """The batch axis is the first, and of any size where the model leaves it open."""
    arrays = {name: np.zeros(shape, np.float32) for name, shape in feed.items()}
    demand_fit({"x": np.zeros((7, 2), np.float32)}, [X], of="m.onnx")
    with pytest.raises(StepInputError, match=message):
        demand_fit(arrays, [X], of="m.onnx")
