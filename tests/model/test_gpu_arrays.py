"""Arrays on a GPU: whose are known for such, and which are refused."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from trtbuild.core.errors import MissingDependency, UsageError
from trtbuild.model.gpu_arrays import GpuArray, lies_on_gpu, view_gpu

MINE = GpuArray(64, (2, 3), np.dtype("float16"))


class Foreign:
    """An array of another library, on a device of DLPack's numbers."""

    def __init__(self, device=2):
        self.device = device

    def __dlpack_device__(self):
        return self.device, 0


@pytest.fixture
def views(monkeypatch):
    """A cuda-core that sees a view of these strides in any array."""

    def made(strides):
        def see(given, stream):
            dtype = np.dtype("float32")
            return SimpleNamespace(ptr=stream, shape=(1, 2, 3), strides=strides, dtype=dtype)

        memory = SimpleNamespace(StridedMemoryView=SimpleNamespace(from_any_interface=see))
        monkeypatch.setitem(sys.modules, "cuda", SimpleNamespace())
        monkeypatch.setitem(sys.modules, "cuda.core", SimpleNamespace())
        monkeypatch.setitem(sys.modules, "cuda.core.utils", memory)

    return made


def test_where_an_array_lies_is_asked_of_itself():
    """By DLPack, or by CUDA's array interface."""
    there = [MINE, Foreign(), Foreign(13), SimpleNamespace(__cuda_array_interface__={})]
    here = [np.zeros(2), Foreign(1), [1, 2]]

    assert [True] * 4 + [False] * 3 == [lies_on_gpu(each) for each in (*there, *here)]
    assert (12, (2, 0)) == (MINE.nbytes, MINE.__dlpack_device__())
    assert MINE is view_gpu("x", MINE, 7)


@pytest.mark.parametrize("strides", [None, (6, 3, 1), (99, 3, 1)])
def test_another_s_array_in_one_piece_is_taken(views, strides):
    """An axis of size 1 may have any stride."""
    views(strides)
    found = view_gpu("x", Foreign(), 7)

    assert (7, (1, 2, 3), "float32") == (found.address, found.shape, found.dtype.name)


def test_what_cannot_be_taken_is_told(views, monkeypatch):
    """One that is part of another; and any, where cuda-core is missing."""
    views((6, 1, 2))
    with pytest.raises(UsageError, match=r"`x` does not lie in one piece .*\[6, 1, 2\]"):
        view_gpu("x", Foreign(), 7)
    monkeypatch.setitem(sys.modules, "cuda.core.utils", None)
    with pytest.raises(MissingDependency, match="cuda-core is not installed"):
        view_gpu("x", Foreign(), 7)
