"""What inputs are for, by type, shape and name."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.verbs.init.feeding import find_fed_inputs
from trtbuild.verbs.init.model_look import ModelLook


def fed(*inputs, **more):
    specs = tuple(TensorSpec(name=n, dtype=d, shape=s) for n, d, s in inputs)
    return find_fed_inputs(ModelLook("m", (), inputs=specs, **more))


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "role"),
    [
        ("x", "float32", ("n", 3, 224, 224), "picture"),
        ("x", "float32", (1, 1, 28, 28), "picture"),
        ("x", "float32", ("n", 3, "h", "w"), "picture"),
        ("x", "float32", ("n", "c", "h", "w"), "picture"),
        ("x", "float32", (1, 224, 224, 3), "picture"),
        ("x", "float32", (3, 64, 64), "picture"),
        ("x", "float32", ("n", 64, 7, 7), "numbers"),
        ("x", "float32", ("n", 16000), "signal"),
        ("mel", "float32", ("n", 80, "t"), "signal"),
        ("x", "float32", ("n", 12), "numbers"),
        ("input_ids", "int64", ("n", "s"), "ids"),
        ("attention_mask", "int64", ("n", "s"), "mask"),
        ("attention_mask", "float32", ("n", "s"), "mask"),
        ("h0", "float32", (1, "n", 16), "state"),
        ("past.0.key", "float32", ("n", 8, "p", 64), "state"),
        ("encoder_hidden_states", "float32", ("n", "s", 64), "numbers"),
    ],
)
def test_a_role_follows_from_an_input(name, dtype, shape, role):
    """The likeliest one."""
    assert role == fed((name, dtype, shape))[0].role


def test_a_table_says_how_many_values_there_are():
    """Random ones lie in it."""
    (ids,) = fed(("ids", "int64", ("n", "s")), tables={"ids": 1000})

    assert (0, 1000) == (ids.low, ids.high)


def test_what_nothing_draws_is_filled():
    """A type that random data has not."""
    (flag,) = fed(("flag", "bool", ("n", 4)))

    assert flag.fill is not None


def test_the_batch_may_be_another_axis():
    """That which inputs share by name."""
    x, h = fed(("x", "float32", ("seq", "batch", 8)), ("h0", "float32", (1, "batch", 16)))

    assert (1, 1) == (x.axis, h.axis)


def test_inputs_with_other_fixed_first_axes_are_whole():
    """Points beside a picture with a batch of 1 count no samples."""
    picture, points = fed(("x", "float32", (1, 3, 32, 32)), ("points", "float32", (5, 2)))

    assert (0, None) == (picture.axis, points.axis)
    assert points.whole


def test_text_is_refused():
    """TensorRT takes none."""
    with pytest.raises(UsageError, match="is text"):
        fed(("x", "object", ("n",)))
