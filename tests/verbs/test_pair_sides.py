"""Two models or engines, and whether they can be compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.executors import Recording
from tests.helpers.plans import FACTS
from trtbuild.backends.tensorrt.engine import EngineDescription
from trtbuild.core.errors import NoGpu, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.plan.pair import PairSide
from trtbuild.verbs.pair_sides import OpenSide, demand_alike, name_apart, open_side

L4 = "NVIDIA L4 (8.9)"
FULL = {**FACTS, "tensorrt": "10.16.1.11"}


def spec(name, *shape):
    return TensorSpec(name=name, dtype="float32", shape=shape)


def side(*outputs):
    return OpenSide(PairSide(Path("m"), "m"), (spec("x", "n", 4),), outputs)


@pytest.fixture
def engine(tmp_path):
    path = tmp_path / "e.engine"
    path.write_bytes(b"ftrt" + bytes(20) + bytes([10, 16, 1, 11]) + bytes(100))
    return path


def test_names_and_sizes_must_agree():
    """In any order; the batch, and sizes that are open, may differ."""
    demand_alike(side(spec("y", 1, "k"), spec("z", 2)), side(spec("z", 1), spec("y", "n", 3)))

    for other in (side(spec("z", "n", 4)), side(spec("y", "n", 5)), side()):
        with pytest.raises(UsageError, match=r"outputs `y` \[n, 4\]"):
            demand_alike(side(spec("y", "n", 4)), other)


def test_files_of_one_name_go_by_their_paths():
    """Engines are mostly called alike."""
    assert ("a", "b") == name_apart(Path("x/a"), Path("y/b"))
    assert ("x/a", "y/a") == name_apart(Path("x/a"), Path("y/a"))


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (FULL, "no NVIDIA GPU"),
        ({**FULL, "tensorrt": "10.0.0.1", "gpu": L4}, "10.0.0.1 is here"),
    ],
)
def test_an_engine_that_does_not_run_here_says_why(engine, facts, why):
    """And that the models it was built from can be compared anywhere."""
    with pytest.raises(NoGpu, match=why) as caught:
        open_side(engine, Recording(facts=facts))

    assert "ONNX models" in caught.value.hint


def test_an_engine_is_asked_what_it_takes(engine):
    """By the TensorRT that it is of, where its GPU is."""
    told = EngineDescription(inputs=(spec("x", "?", 4),), outputs=(), profiles=())
    made = {"description.json": told.model_dump_json().encode()}

    found = open_side(engine, Recording(facts={**FULL, "gpu": L4}, made=made))

    assert ("tensorrt10", told.inputs) == (found.side.engine, found.inputs)
