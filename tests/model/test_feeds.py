from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import feeds_from_samples

X = TensorSpec(name="x", dtype="float32", shape=("N", 2))


@dataclass
class Sample:
    """What feeds are made of."""

    name: str
    arrays: dict


def sample(name, shape=(2,), dtype=np.float32, key="x"):
    return Sample(name, {key: np.ones(shape, dtype)})


def feeds(*samples, inputs=(X,), batch=1):
    return list(feeds_from_samples(samples, inputs, batch=batch))


def test_samples_are_grouped_in_order():
    """Two batches of two, the batch axis first."""
    found = feeds(*(sample(str(i)) for i in range(4)), batch=2)

    assert [("0", "1"), ("2", "3")] == [feed.samples for feed in found]
    assert [(2, 2), (2, 2)] == [feed.arrays["x"].shape for feed in found]


def test_a_remainder_is_an_error():
    """No sample is dropped or padded."""
    with pytest.raises(StepInputError, match="batch is fixed at 2, and 1 samples are left over"):
        feeds(*(sample(str(i)) for i in range(3)), batch=2)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (sample("a.png", dtype=np.float64), "`x` is float64; the model's input is float32"),
        (sample("a.png", dtype=np.uint8), "`x` is uint8; the model's input is float32"),
        (sample("a.png", key="y"), "a.png holds `y`; the model's inputs are `x`"),
        (sample("a.png", shape=(3,)), r"shape \[3\]; the model's input has \['N', 2\]"),
        (sample("a.png", shape=(1, 2)), r"shape \[1, 2\]"),
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
        feeds(sample("a", (3,)), sample("b", (4,)), inputs=(free,), batch=2)
