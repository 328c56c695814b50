"""What steps that time models are given."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from trtbuild.core.digest import digest_of_file
from trtbuild.core.protocol import Protocol
from trtbuild.core.values import TensorSpec
from trtbuild.data.archive import write_samples
from trtbuild.data.base import Sample
from trtbuild.steps.base import Context, Pinned
from trtbuild.steps.timed_subjects import FedSamples, TimedSubject, Timings, list_pairs
from trtbuild.timing.onnx_runtime import OnnxRuntime

INPUT = TensorSpec(name="x", dtype="float32", shape=("n", 3))


def pin(path):
    return Pinned(path=str(path), digest=digest_of_file(path))


@pytest.fixture
def context(tmp_path):
    (tmp_path / "out").mkdir()
    return Context(inputs={}, out=tmp_path / "out")


@pytest.fixture
def fed(tmp_path):
    with write_samples(tmp_path / "s.npz") as store:
        for value in range(2):
            store(Sample(str(value), {"x": np.full(3, value, np.float32)}))
    given = TensorSpec(name="x", dtype="float32", shape=(3,))
    return FedSamples(name="eval", samples=pin(tmp_path / "s.npz"), tensors=(given,))


def test_samples_are_fed_where_they_have_the_shapes(context, fed):
    """Else inputs are drawn, which is said."""
    timings = Timings(protocol=Protocol(), shapes=(), fed=fed)
    samples = fed.read(context)
    arrays, whole, source = timings.make_feed([INPUT], {"x": (3, 3)}, samples)

    assert [0, 1, 0] == list(arrays["x"][:, 0])
    assert ({"x": (3, 3)}, "data eval") == (whole, source)
    wider = TensorSpec(name="x", dtype="float32", shape=("n", "m"))
    assert "seeded" == timings.make_feed([wider], {"x": (3, 5)}, samples)[2]
    drawn = timings.model_copy(update={"fed": None})
    assert "seeded" == drawn.make_feed([INPUT], {"x": (3, 3)}, [])[2]


def test_what_is_not_asked_for_is_not_tried(context, tmp_path):
    """It is named, as what cannot run is."""
    (tmp_path / "m").write_bytes(b"no model")
    subject = TimedSubject(name="m", model=pin(tmp_path / "m"))
    runners = OnnxRuntime.usual()
    timings = Timings(protocol=Protocol(), shapes=(), only=("*/onnxruntime-cuda",))
    found, left = list_pairs([subject], runners, context, timings)

    assert [] == found
    assert ["m/onnxruntime-cpu: not asked for", "m/onnxruntime-cuda: this ONNX Runtime"] == [
        f"{each.name}: {each.reason}"[: len("m/onnxruntime-cuda: this ONNX Runtime")].strip()
        for each in left
    ]


def test_large_weights_are_linked_beside_their_model(context, tmp_path, monkeypatch):
    """And count for its size."""
    for name, size in (("m.onnx", 3), ("w", 40)):
        (tmp_path / name).write_bytes(bytes(size))
    linked = []
    monkeypatch.setattr(
        "trtbuild.model.onnx_file.link_together",
        lambda *each: linked.append(each) or SimpleNamespace(name="linked"),
    )
    subject = TimedSubject(name="m", model=pin(tmp_path / "m.onnx"), weights=pin(tmp_path / "w"))

    assert "linked" == subject.locate(context).path.name
    assert tmp_path / "subjects/m" == linked[0][2]
    assert 43 == subject.size_bytes(context)
