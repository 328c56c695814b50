"""The array of one input, of a batch's samples or filled."""

from __future__ import annotations

import numpy as np
import pytest

from tests.model.test_batching import Sample, specs
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import Feeder
from trtbuild.model.input_feeding import InputFeeding


def test_what_is_filled_has_its_value_and_type():
    """A state of ones, two samples wide."""
    inputs = [*specs(x=(2, 4)), TensorSpec(name="h", dtype="int64", shape=(3, 2))]
    feeder = Feeder(inputs, specs(x=(4,)), {"h": InputFeeding(fill=1)})
    (feed,) = feeder.feeds([Sample(name, {"x": np.ones(4, np.float32)}) for name in "ab"])

    assert ["x"] == [each.name for each in feeder.samples]
    assert ("int64", [[1, 1]] * 3) == (feed.arrays["h"].dtype, feed.arrays["h"].tolist())


def test_a_whole_input_is_the_same_for_all_samples_of_a_batch():
    """Nothing is chosen in silence."""
    feeder = Feeder(specs(x=(2, 4), size=(3,)), specs(x=(4,), size=(3,)))
    samples = [
        Sample(name, {"x": np.ones(4, np.float32), "size": np.full(3, value, np.float32)})
        for name, value in (("a", 1), ("b", 2))
    ]
    with pytest.raises(StepInputError, match=r"samples a to b .* `size` \[3\], which a run takes"):
        list(feeder.feeds(samples))
