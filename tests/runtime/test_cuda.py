"""The calls of the CUDA runtime: what they yield, and what fails is told."""

from __future__ import annotations

import enum
import sys
from types import SimpleNamespace

import pytest

from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.runtime.cuda import Cuda


class Code(enum.IntEnum):
    cudaSuccess = 0  # noqa: N815  # CUDA's own names
    cudaErrorMemoryAllocation = 2  # noqa: N815


@pytest.fixture
def told(monkeypatch):
    """NVIDIA's bindings, of which every call yields its code and the address 64."""
    calls = []

    class Bindings(SimpleNamespace):
        def __getattr__(self, name):
            def call(*arguments):
                calls.append((name, *arguments))
                full = name == "cudaMalloc" and arguments[0] > 1000
                return Code(2 if full else 0), 64

            return call

    kinds = SimpleNamespace(cudaMemcpyDefault="any")
    modes = SimpleNamespace(cudaStreamCaptureModeThreadLocal="mine")
    made = Bindings(cudaMemcpyKind=kinds, cudaStreamCaptureMode=modes)
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", made)
    return calls


def test_it_says_what_cuda_is_told(told):
    """On the GPU that is chosen; nothing is allocated as a byte, which has an address."""
    cuda = Cuda(1)
    assert [64, 64, 64] == [cuda.allocate(0), cuda.allocate_pinned(8), cuda.create_stream()]
    cuda.copy(1, 2, 3, 4)
    assert 64 == cuda.count_free_bytes()

    assert [("cudaSetDevice", 1), ("cudaMalloc", 1), ("cudaMallocHost", 8)] == told[:3]
    assert [("cudaMemcpyAsync", 1, 2, 3, "any", 4), ("cudaMemGetInfo",)] == told[-2:]


def test_a_graph_is_captured_and_the_draft_of_it_given_back(told):
    """What is launched is the instance."""
    cuda = Cuda()
    cuda.begin_capture(4)
    cuda.launch(cuda.end_capture(4), 4)

    names = [name for name, *_ in told[1:]]
    assert ["cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaGraphInstantiate",
            "cudaGraphDestroy", "cudaGraphLaunch"] == names  # fmt: skip


def test_what_fails_is_named(told):
    """With CUDA's own word for it."""
    with pytest.raises(StepInputError, match="CUDA: cudaMalloc: cudaErrorMemoryAllocation"):
        Cuda().allocate(2000)


def test_without_the_bindings_it_says_what_to_install(monkeypatch):
    """As an extra of this package."""
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", None)

    with pytest.raises(MissingDependency, match="cuda-bindings is not installed"):
        Cuda()
