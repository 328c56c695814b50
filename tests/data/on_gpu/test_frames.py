"""What the host does for the kernel: tables of bytes, memory of blocks, plans of sizes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.emulated_cuda import HostWork
from trtbuild.data.on_gpu.frames import FrameKernel, FrameOnGpu, _count_slots, make_table
from trtbuild.data.on_gpu.kernel import PREPARE
from trtbuild.data.preprocess import Preprocess


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("layout", ["chw", "hwc"])
def test_a_byte_becomes_what_the_cpu_makes_of_it(dtype, layout):
    """In each channel of the model, in its own bits."""
    how = Preprocess(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), dtype=dtype, layout=layout)
    table = make_table(how)
    expected = [(np.float32(200) / np.float32(255) - m) / s for m, s in ((0.5, 0.2), (0.3, 0.4))]
    bits = np.uint32 if dtype == "float32" else np.uint16

    assert (3, 256) == table.shape
    found = table[[0, 2], 200].astype(bits).view(dtype)
    np.testing.assert_allclose(found, expected, rtol=1e-3 if dtype == "float16" else 1e-6)


def test_a_tile_needs_what_its_pixels_read():
    """Each source once, or one by one where they lie far apart; nothing beyond the picture."""
    near = np.stack([np.arange(10), np.arange(1, 11)], axis=1)
    far = near * 20

    assert 5 == _count_slots(near, 0, 10, 4)
    assert 8 == _count_slots(far, 0, 10, 4)
    assert 3 == _count_slots(near, -8, 10, 4)


def test_sizes_are_planned_once_and_tables_stay_where_they_are():
    """A new size comes behind the others."""
    launched = []
    work = HostWork({PREPARE: lambda grid, *given: launched.append((grid, given))})
    kernel = FrameKernel(Preprocess(resize=(20, 70)), work)
    frames = [FrameOnGpu(64, 40, 50, 3, 150), FrameOnGpu(64, 30, 50, 3, 150)]
    for _ in range(2):
        kernel.run(frames, 128)

    assert [(3, 3, 2)] * 2 == [grid for grid, _ in launched]
    assert launched[0][1][2:] == launched[1][1][2:]  # the tables, and where it goes
    assert [(40, 50), (30, 50)] == [(each[1], each[0]) for each in kernel._planned]
