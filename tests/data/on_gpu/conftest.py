"""The kernels that make frames ready, compiled for the CPU once."""

from __future__ import annotations

import pytest

from tests.helpers.emulated_cuda import compile_kernels
from trtbuild.data.on_gpu.direct_kernel import DIRECT, ONE
from trtbuild.data.on_gpu.kernel import PREPARE, write_source


@pytest.fixture(scope="session")
def kernels(tmp_path_factory):
    """The kernels, as functions, by the channels that the model takes."""
    shared = "extern __shared__ int between[]; => static int between[1 << 20];"
    counts = {PREPARE: 6, DIRECT: 6, ONE: 18}
    return {
        channels: compile_kernels(
            write_source([*counts], channels), counts, tmp_path_factory.mktemp("kernels"), shared
        )
        for channels in (1, 3)
    }
