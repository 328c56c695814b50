"""What a server is told of a model comes from its engine, or from the recipe's profiles."""

from __future__ import annotations

import pytest

from trtbuild.core.values import TensorSpec
from trtbuild.verbs.packaging.served_model import (
    ProfileBounds,
    ServedModel,
    describe_engine_served,
    describe_model_served,
)

SPEC = TensorSpec(name="x", dtype="float32", shape=("n", 3, "h", "w"))


def test_an_engine_and_its_model_are_served_alike(place):
    """The same batches, and the same shapes that they are tuned for."""
    build = place(("a", "tensorrt10", "10.14.1.48", ("8.9",)))
    outputs = [TensorSpec(name="y", dtype="float32", shape=("n", 3))]
    model = describe_model_served("mean", [SPEC], outputs, build.loaded.recipe)
    engine = describe_engine_served("mean", build.engines[0].result)

    assert engine == model
    assert (8, (2, 3, 6, 6)) == (model.max_batch, model.find_opt(SPEC, model.profiles[0]))


def test_values_of_shapes_are_no_shapes(place):
    """An input that a profile has values for is named apart."""
    build = place(("a", "tensorrt10", "10.14.1.48", ("8.9",)))
    values = {"min values": [1], "opt values": [2], "max values": [3]}
    told = build.engines[0].result.model_copy(update={"profiles": ({"s": values},)})

    found = describe_engine_served("mean", told)

    assert ({"s"}, ({},), 0) == ({*found.valued}, found.profiles, found.max_batch)


def test_what_a_profile_takes():
    """Shapes within its bounds, of all inputs; a model without profiles takes any."""
    profiles = [
        {"x": ProfileBounds((low, 3), (low, 3), (high, 3))} for low, high in ((1, 2), (4, 8))
    ]
    model = ServedModel("m", (), (), tuple(profiles))

    sizes = [(1, 3), (3, 3), (8, 3), (8, 4), (8,)]
    assert [True, False, True, False, False] == [model.takes({"x": each}) for each in sizes]
    assert ServedModel("m", (), ()).takes({"x": (9,)})
    assert [True, False] == [each.profiles_differ for each in (model, ServedModel("m", (), ()))]


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([(1, 8)], 8),
        ([(1, 4), (5, 32)], 32),
        ([(8, 32), (1, 4)], 4),
        ([(2, 8)], 0),
    ],
    ids=["one", "one behind the other", "a gap", "no single sample"],
)
def test_requests_are_put_together_as_far_as_profiles_take_every_number(spans, most):
    """From 1 on, whichever profile comes first."""
    profiles = [{"x": ProfileBounds((a, 3), (b, 3), (b, 3))} for a, b in spans]
    x, y = (TensorSpec(name=name, dtype="float32", shape=("n", 3)) for name in "xy")

    assert most == ServedModel("m", (x,), (y,), tuple(profiles)).max_batch


def test_the_input_of_the_fewest_samples_decides():
    """All of them have as many."""
    x, y = (TensorSpec(name=name, dtype="float32", shape=("n",)) for name in "xy")
    profile = {"x": ProfileBounds((1,), (4,), (8,)), "y": ProfileBounds((1,), (4,), (4,))}

    assert 4 == ServedModel("m", (x, y), (x,), (profile,)).max_batch


def test_sizes_that_take_fewer_samples_decide():
    """A server puts as many large pictures together as small ones."""
    profiles = [{"x": ProfileBounds((1, k), (1, k), (n, k))} for n, k in ((8, 128), (2, 512))]
    x, y = (TensorSpec(name=name, dtype="float32", shape=("n", "k")) for name in "xy")

    assert 2 == ServedModel("m", (x,), (y,), tuple(profiles)).max_batch
