"""A model in ONNX Runtime's runners: on a GPU, for which the CPU stands in, and on the CPU."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.helpers.emulated_cuda import stand_in
from tests.helpers.models import model_of
from trtbuild.core.errors import MissingDependency, UsageError
from trtbuild.model import gpu_feeding, session
from trtbuild.model.gpu_arrays import GpuArray
from trtbuild.runtime import Engine

DOUBLE = "net (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(model_of(DOUBLE).SerializeToString())
    return path


@pytest.fixture
def on_gpu(model, monkeypatch):
    """The model in a GPU's runner, for which the CPU stands in."""
    made = stand_in(monkeypatch, {})
    with Engine(model, device="cuda") as engine:
        yield engine
    assert [{}] == [each.held for each in made]


def test_on_a_gpu_arrays_are_taken_as_they_lie_there_and_left_there(on_gpu):
    """Or come from main memory, and go back."""
    array = np.float32([[1, 2], [3, 4]])
    there = GpuArray(array.ctypes.data, array.shape, array.dtype)
    for given in (array, there):
        assert (2 * array).tolist() == on_gpu.run({"x": given})["y"].tolist()
        kept = on_gpu.run({"x": given}, keep_on_gpu=True)["y"]
        assert ((2, 2), "<f4") == (kept.shape, kept.__cuda_array_interface__["typestr"])
        raw = (ctypes.c_float * 4).from_address(kept.address)
        assert [2, 4, 6, 8] == list(raw)
    assert on_gpu.on_gpu


def test_on_the_cpu_nothing_lies_on_a_gpu(model):
    """What does is refused, and what shall."""
    there = GpuArray(64, (1, 2), np.dtype("float32"))
    with Engine(model, device="cpu") as engine:
        with pytest.raises(UsageError, match="`x` lies on a GPU, and the model runs on the CPU"):
            engine.run({"x": there})
        with pytest.raises(UsageError, match="its outputs lie in main memory"):
            engine.run({"x": np.float32([[1, 2]])}, keep_on_gpu=True)


def test_without_what_feeds_a_gpu_onnx_runtime_copies_by_itself(model, monkeypatch):
    """It runs there, and takes arrays of main memory."""

    def refuse(index):
        raise MissingDependency("kernels for the GPU cannot be compiled: no cuda-core")

    load = session._load
    monkeypatch.setattr(session, "_load", lambda at, options, _: load(at, options, session.CPU))
    monkeypatch.setattr(gpu_feeding, "CudaWork", refuse)
    with Engine(model, device="cuda") as engine:
        assert [[2, 4]] == engine.run({"x": np.float32([[1, 2]])})["y"].tolist()
        assert not engine.on_gpu
        assert "CUDAExecutionProvider" in engine.described
    with pytest.raises(UsageError, match="is closed"):
        engine.run({"x": np.float32([[1, 2]])})
