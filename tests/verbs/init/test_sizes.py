"""Sizes that a model runs at, tried from wide to narrow."""

from __future__ import annotations

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.verbs.init.feeding import find_fed_inputs
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.sizes import choose_sizes


def fed(name, dtype, *shape):
    spec = TensorSpec(name=name, dtype=dtype, shape=shape)
    return find_fed_inputs(ModelLook("m", (), inputs=(spec,)))


def taking(allowed):
    """A model that runs where `allowed` says so of its input's shape."""

    def trial(shapes, values):
        del values
        (shape,) = shapes.values()
        if not allowed(shape):
            raise StepInputError("no")
        return {"y": (shape[0], 2)}

    return trial


def test_without_a_model_they_are_a_guess():
    """The widest."""
    plan = choose_sizes(fed("ids", "int64", "n", "s"), None)

    assert {"n": (1, 8, 32), "s": (1, 128, 512)} == plan.spans


def test_a_table_of_places_ends_a_sentence():
    """The longest that runs at min, opt and max."""
    plan = choose_sizes(fed("ids", "int64", "n", "s"), taking(lambda s: s[1] <= 64))

    assert (1, 32, 64) == plan.spans["s"]
    assert "" == plan.problem


def test_a_picture_keeps_what_its_files_say():
    """And grows and shrinks by half where the model does."""
    inputs = fed("x", "float32", "n", 3, "h", "w")
    plan = choose_sizes(inputs, taking(lambda _: True), side=(320, 640))

    assert {"n": (1, 8, 32), "h": (160, 320, 640), "w": (320, 640, 1280)} == plan.spans


def test_a_batch_that_is_one_inside_stays_one():
    """A Reshape that was exported with it shows in a run of two."""
    plan = choose_sizes(fed("ids", "int64", "n", "s"), taking(lambda s: s[0] == 1))

    assert (1, 1, 1) == plan.spans["n"]


def test_a_model_that_never_runs_is_said_to():
    """With what ONNX Runtime says; the sizes are those without it."""
    plan = choose_sizes(fed("ids", "int64", "n", "s"), taking(lambda _: False))

    assert ("no", (1, 128, 512)) == (plan.problem, plan.spans["s"])


def test_large_samples_have_small_batches():
    """Memory is planned for the largest."""
    plan = choose_sizes(fed("x", "float32", "n", 3, 1024, 1024), None)

    assert (1, 2, 8) == plan.spans["n"]


def test_fixed_sizes_leave_nothing_to_choose():
    """And nothing runs."""
    assert {} == choose_sizes(fed("x", "float32", 1, 3, 32, 32), None).spans
