from __future__ import annotations

import pytest

from trtbuild.calib.entropy import Entropy2
from trtbuild.calib.minmax import Minmax
from trtbuild.calib.mse import Mse
from trtbuild.calib.overrides import assign_calibrators
from trtbuild.core.errors import StepInputError

MINMAX, ENTROPY2, MSE = Minmax(kind="minmax"), Entropy2(kind="entropy2"), Mse(kind="mse")


def kinds(overrides, *names):
    return {name: one.kind for name, one in assign_calibrators(names, ENTROPY2, overrides).items()}


def test_a_pattern_names_its_tensors():
    """What no override names gets the calibrator of the recipe."""
    assert {"/a/Softmax_output_0": "minmax", "/a/Conv": "entropy2"} == kinds(
        {"*/Softmax*": MINMAX}, "/a/Softmax_output_0", "/a/Conv"
    )


def test_the_most_specific_counts():
    """A name beats a pattern, a narrower pattern a wider one, whatever order they come in."""
    overrides = {"b": MINMAX, "[bc]": ENTROPY2, "*": MSE}

    assert {"a": "mse", "b": "minmax", "c": "entropy2"} == kinds(overrides, "a", "b", "c")


def test_a_dispute_is_an_error():
    """Of two patterns that overlap, neither is more specific."""
    with pytest.raises(StepInputError, match=r"`a\*` and `\*b` both mean `ab`"):
        kinds({"a*": MINMAX, "*b": MSE}, "ab", "ac", "cb")


def test_an_override_that_matches_nothing_is_an_error():
    """It names the nearest."""
    with pytest.raises(StepInputError, match="`sofmax` matches no tensor") as error:
        kinds({"sofmax": MINMAX}, "softmax", "conv")

    assert "the nearest: `softmax`" == error.value.hint
