"""The kernels of calibration, compiled for the CPU once."""

from __future__ import annotations

import pytest

from tests.helpers.emulated_cuda import compile_kernels
from trtbuild.calib.count import BINS
from trtbuild.calib.on_gpu.kernels import COUNT, EXTREMES, write_source


@pytest.fixture(scope="session")
def kernels(tmp_path_factory):
    """Both, as functions."""
    folder = tmp_path_factory.mktemp("kernels")
    shared = f"extern __shared__ u32 bins[]; => static u32 bins[{BINS}];"
    return compile_kernels(write_source(), {EXTREMES: 4, COUNT: 4}, folder, shared)
