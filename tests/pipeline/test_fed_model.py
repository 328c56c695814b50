"""A recipe's model in a pipeline on a GPU: what is copied there, and what is not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from trtbuild.core.errors import NotWritable, StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.data.on_gpu.pictures import CopiedPicture
from trtbuild.data.preprocess import Preprocess
from trtbuild.pipeline import fed_model
from trtbuild.pipeline.item import Item

HOW = Preprocess(resize=(4, 4))
RNG = np.random.default_rng(0)


class Copies:
    """Copies of pictures, which are made ready by the CPU; `room` of them fit."""

    def __init__(self, room=100, *, shrinks=True):
        self.room, self.shrinks, self.batches = room, shrinks, []

    def takes(self, pixels):
        return pixels.shape[2:] == (3,)

    def copy(self, pixels):
        self.room -= 1
        if self.room < 0:
            raise StepInputError("there is not enough memory left on the GPU")
        return CopiedPicture(pixels, (3, 4, 4), None, None)

    def make_ready(self, pictures):
        if not self.shrinks:
            raise StepInputError("pictures are shrunk too much for the GPU's kernel")
        self.batches.append(len(pictures))
        return np.stack([HOW.apply(each.pixels, "it") for each in pictures])

    def close(self):
        self.room = 0


@pytest.fixture
def run(monkeypatch):
    """Run pictures through a model that gives its input back; return what came, and the copies."""

    def done(copies, pictures, platform="tensorrt_plan", at_once=4, batch="n", most=4):
        monkeypatch.setattr(fed_model, "GpuPictures", lambda _: copies)
        x = TensorSpec(name="x", dtype="float32", shape=(batch, 3, 4, 4))
        engine = SimpleNamespace(
            inputs=(x,), on_gpu=True, platform=platform, run=lambda feed: {"y": feed["x"]}
        )
        recipe = SimpleNamespace(file="r.yaml", recipe=SimpleNamespace(inputs={}))
        model = fed_model.FedModel("it", engine, HOW, "x", recipe, most=most)
        items = model.preprocess([Item(n, f"{n}", each) for n, each in enumerate(pictures)])
        parts = [items[n : n + at_once] for n in range(0, len(items), at_once)]
        return [
            rows["y"] for part in parts for item in model.infer(part) for rows in item.fed["it"]
        ]

    return done


@pytest.mark.parametrize(
    ("copies", "batches"),
    [(Copies(), [3]), (Copies(room=1), [1]), (Copies(shrinks=False), [])],
    ids=["all", "memory for one", "not by the kernel"],
)
def test_what_cannot_be_made_ready_there_is_here(run, copies, batches):
    """Each picture gets the answer to what it is, whatever was run beside it."""
    sizes = [(9, 7, 3), (5, 5, 3), (9, 7), (9, 7, 3)]
    pictures = [RNG.integers(0, 256, size, np.uint8) for size in sizes]
    found = run(copies, pictures)

    assert batches == copies.batches
    for picture, each in zip(pictures, found, strict=True):
        assert np.array_equal(HOW.apply(picture, "it"), each)


def test_onnx_runtime_is_given_as_many_at_once_as_ever(run):
    """On a GPU: for another number, it would plan anew. Answers are those of each picture."""
    pictures = [RNG.integers(0, 256, (9, 7, 3), np.uint8) for _ in range(5)]
    copies = Copies()
    found = run(copies, pictures, "onnxruntime_onnx", at_once=2)

    assert [2, 2, 2] == copies.batches
    for picture, each in zip(pictures, found, strict=True):
        assert np.array_equal(HOW.apply(picture, "it"), each)


@pytest.mark.parametrize(("batch", "most", "batches"), [("n", 2, [2, 2, 1]), (1, 4, [1] * 5)])
def test_no_more_are_run_at_once_than_may_be(run, batch, most, batches):
    """However many pictures the frames have that came together, and one by one where that is it."""
    pictures = [RNG.integers(0, 256, (9, 7, 3), np.uint8) for _ in range(5)]
    copies = Copies()
    found = run(copies, pictures, at_once=5, batch=batch, most=most)

    assert batches == copies.batches
    for picture, each in zip(pictures, found, strict=True):
        assert np.array_equal(HOW.apply(picture, "it"), each)


def test_memory_for_pictures_is_given_back_though_the_engine_fails_to_close(monkeypatch):
    """As where what it has compiled cannot be kept."""

    def fail():
        raise NotWritable("kernels: cannot be kept")

    copies = Copies()
    monkeypatch.setattr(fed_model, "GpuPictures", lambda _: copies)
    x = TensorSpec(name="x", dtype="float32", shape=("n", 3, 4, 4))
    engine = SimpleNamespace(inputs=(x,), on_gpu=True, platform="tensorrt_plan", close=fail)
    recipe = SimpleNamespace(file="r.yaml", recipe=SimpleNamespace(inputs={}))
    model = fed_model.FedModel("it", engine, HOW, "x", recipe, most=1)

    with pytest.raises(NotWritable):
        model.close()
    assert 0 == copies.room
