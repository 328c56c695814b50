"""Work on a GPU: what is said where it cannot be done. What can, tests/gpu does."""

from __future__ import annotations

import sys

import pytest

from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.model.cuda_work import CudaWork, OutOfGpuMemory


def test_without_cuda_core_it_is_said_what_installs_it(monkeypatch):
    """Before anything is run."""
    monkeypatch.setitem(sys.modules, "cuda", None)

    with pytest.raises(MissingDependency, match="kernels for the GPU cannot be compiled") as caught:
        CudaWork()

    assert "trtbuild[cuda]" in caught.value.hint


def test_errors_of_the_driver_are_told_by_name():
    """A lack of memory apart, since less of it may do."""

    class Result(int):
        name = "CUDA_ERROR_OUT_OF_MEMORY"

    work = object.__new__(CudaWork)

    assert (5,) == work._check((Result(0), 5))
    with pytest.raises(OutOfGpuMemory):
        work._check((Result(2),))
    Result.name = "CUDA_ERROR_ILLEGAL_ADDRESS"
    with pytest.raises(StepInputError, match="the GPU failed: CUDA_ERROR_ILLEGAL_ADDRESS"):
        work._check((Result(700),))
