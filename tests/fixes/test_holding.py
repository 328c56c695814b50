"""Results before and after a fix, on random inputs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.holding import compare_answers, measure_distance, run_on_random

TEXT = "g (float[N, 3, H, H] x, int64[N] i) => (float[N, 3, H, H] y) { y = BODY(x) }"


def told(before, after, *, must=True):
    answers = run_on_random(model_of(TEXT.replace("BODY", before)))
    return list(
        compare_answers(answers, model_of(TEXT.replace("BODY", after)), must=must, what="f")
    )


def test_equal_results_need_no_words():
    """Of values that are all above 0."""
    assert [] == told("Relu", "Abs")


def test_results_that_must_be_equal_and_are_not_are_an_error():
    """A fix that changes the model is worse than none."""
    with pytest.raises(StepInputError, match="f changes what the model computes: `y` moved by"):
        told("Relu", "Neg")


def test_how_far_results_moved_is_said():
    """As a share of the largest value."""
    assert ["f: `y` moved by 2e+02 % of its largest value (random inputs)"] == told(
        "Relu", "Neg", must=False
    )


def test_what_rounding_explains_is_noted():
    """A step is as far off where its input moves by a millionth."""
    steps = "g (float[4] x) => (float[4] y) <float s = {SCALE}> { a = Mul(x, s)  y = Floor(a) }"
    before = model_of(steps.replace("SCALE", "10000000"))
    after = model_of(steps.replace("SCALE", "10000016"))
    words = list(compare_answers(run_on_random(before), after, must=True, what="f"))

    assert [] == words or "rounding may do that" in words[0]


REASONS = {
    "RandomNormalLike may draw at random": "RandomNormalLike",
    "ONNX Runtime has no plugins": "MyPlugin",
}


@pytest.mark.parametrize("reason", REASONS)
def test_what_was_not_compared_says_why(reason):
    """Nothing is passed over."""
    assert [f"f: results were not compared with those before: {reason}"] == told(
        "Relu", REASONS[reason]
    )


def test_sizes_are_tried_until_the_model_takes_one():
    """Here 64 is too small for the kernel, and 224 is not."""
    model = model_of(
        "g (float[N, 1, H, W] x) => (float[N, 1, P, Q] y) { y = Conv(x, w) }",
        {"w": np.ones((1, 1, 100, 100), np.float32)},
    )

    assert (1, 1, 224, 224) == run_on_random(model).feed["x"].shape


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ([1.0, 4.0], [1.0, 3.0], 0.25),
        ([np.inf, 1.0], [np.inf, 1.0], 0),
        ([np.nan, 1.0], [1.0, 1.0], np.inf),
        ([1.0], [1.0, 1.0], np.inf),
        ([0.0], [0.5], 0.5),
    ],
)
def test_distance_is_a_share_of_the_largest(one, other, distance):
    """What is not finite must be so on both sides."""
    assert distance == measure_distance(np.array(one), np.array(other))
