"""Why an engine cannot take other weights, by what lies beside it."""

from __future__ import annotations

import pytest

from trtbuild.core.digest import digest_of_file
from trtbuild.core.drift import Drift, TensorDrift
from trtbuild.verbs.refit.doubts import list_drifted, list_obstacles


@pytest.fixture
def obstacles(place):
    def found(kind, *, sound=True, **options):
        build = place(("t", kind, "11.4.0", ("9.0",)))
        (engine,) = build.engines
        engine.result.options.update(options)
        digest = digest_of_file(build.best_model) if sound else "sha256:0"
        object.__setattr__(engine.result, "model_digest", digest)
        return list(list_obstacles(build))

    return found


@pytest.mark.parametrize("kind", ["tensorrt10", "tensorrt11"])
def test_nothing_stands_in_the_way_of_an_engine_that_was_built_so(obstacles, kind):
    """Of TensorRT 10 and 11."""
    assert [] == obstacles(kind, refittable="on")


@pytest.mark.parametrize(
    ("kind", "found", "said"),
    [
        ("tensorrt_rtx", {}, "an engine of kind tensorrt_rtx cannot be refitted"),
        ("tensorrt11", {}, "`refit: all` in its target makes an engine that is"),
        ("tensorrt11", {"refit_identical": "on"}, "it takes the weights that it was built from"),
        ("tensorrt11", {"refittable": "on", "sound": False}, "model.fp32.onnx beside it is not"),
    ],
)
def test_what_stands_in_the_way_is_told(obstacles, kind, found, said):
    """Each with what it is."""
    (told,) = obstacles(kind, **found)

    assert told.startswith(said) or said in told


def test_tensors_that_moved_too_far_are_named_the_furthest_first():
    """Also where values shrank: steps are too coarse for them then."""
    told = {"a": (1.0, 2.5), "b": (4.0, 1.0), "c": (1.0, 1.9), "d": (0.0, 0.0)}
    tensors = tuple(
        TensorDrift(name=name, before=before, after=after, limit=2.0)
        for name, (before, after) in told.items()
    )
    found = Drift(samples=1, tensors=tensors)

    assert ["b", "a"] == [each.name for each in found.list_beyond(2.0)]
    assert "`b`: 4 → 1, 4.00 times smaller" == tensors[1].describe()
    assert "`a`: 1 → 2.5, 2.50 times larger, and its range ends at 2" == tensors[0].describe()
    assert [] == list(list_drifted(None, None, 2.0))
