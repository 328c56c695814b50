"""A session fed from main memory and with what lies on a GPU, for which the CPU stands in."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.helpers.emulated_cuda import stand_in
from tests.helpers.models import model_of
from trtbuild.core.values import TensorSpec
from trtbuild.model.gpu_arrays import GpuArray
from trtbuild.model.gpu_feeding import GpuFeeding
from trtbuild.model.session import open_session

MODEL = "net (float[n,2] x, float[n,2] z) => (float[n,2] y) { y = Sub(x, z) }"
Y = TensorSpec(name="y", dtype="float32", shape=("n", 2))


@pytest.fixture
def feeding(monkeypatch):
    made = stand_in(monkeypatch, {})
    data = model_of(MODEL).SerializeToString()
    feeding = GpuFeeding(lambda providers: open_session(data, threads=1, providers=providers))
    yield feeding
    feeding.close()
    assert [{}] == [each.held for each in made]


def test_arrays_come_from_wherever_they_lie(feeding):
    """Of several shapes, one after the other; outputs are the caller's own."""
    kept = []
    for rows in (1, 3, 2):
        x, z = (np.full((rows, 2), each, np.float32) for each in (7 * rows, rows))
        there = GpuArray(z.ctypes.data, z.shape, z.dtype)
        for given in ({"x": x, "z": z}, {"x": x, "z": there}):
            kept.append((rows, feeding.run(given)["y"]))
            made = feeding.run_there(given, [Y])["y"]
            held = (ctypes.c_float * (2 * rows)).from_address(made.address)
            assert [6.0 * rows] * 2 * rows == list(held)
    for rows, each in kept:
        assert np.array_equal(np.full((rows, 2), 6 * rows), each)
    assert 7 == feeding.stream
