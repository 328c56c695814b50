"""What a server is told of a model comes from its engine, or from the recipe's profiles."""

from __future__ import annotations

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
