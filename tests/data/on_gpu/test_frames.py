"""What the host does for the kernels: what it tells them of a batch, and how often."""

from __future__ import annotations

import pytest

from tests.helpers.emulated_cuda import HostWork
from trtbuild.data.on_gpu.direct_kernel import DIRECT, ONE
from trtbuild.data.on_gpu.frames import ROOMS, FrameKernel, FrameOnGpu
from trtbuild.data.on_gpu.kernel import PREPARE
from trtbuild.data.preprocess import Preprocess


def record(launched):
    """Kernels that note what they are given."""

    def note(name):
        return lambda grid, *given: launched.append((name, grid, given))

    return {name: note(name) for name in (PREPARE, DIRECT, ONE)}


def test_sizes_are_planned_once_and_tables_stay_where_they_are():
    """A new size comes behind the others."""
    launched = []
    work = HostWork(record(launched))
    kernel = FrameKernel(Preprocess(resize=(20, 70)), work)
    frames = [FrameOnGpu(64, 40, 50, 3, 150), FrameOnGpu(64, 30, 50, 3, 150)]
    for _ in range(2):
        kernel.run(frames, 128)

    assert [(PREPARE, (3, 3, 2))] * 2 == [each[:2] for each in launched]
    assert launched[0][2] == launched[1][2]  # the tables, those of the batch among them
    assert [(40, 50), (30, 50)] == [(each[1], each[0]) for each in kernel._planned]


def test_one_frame_that_is_read_directly_needs_no_copy():
    """Wherever it lies: what tells of it are arguments of the launch."""
    launched = []
    work = HostWork(record(launched))
    kernel = FrameKernel(Preprocess(resize=(20, 70), resize_like="opencv"), work)
    kernel.run([FrameOnGpu(64, 40, 50, 3, 150)], 128)
    work.upload = lambda *_, **__: pytest.fail("it copied")
    for address in range(1024, 1024 + 3 * ROOMS, 3):
        kernel.run([FrameOnGpu(address, 40, 50, 3, 200)], 128)

    assert [(ONE, (3, 2, 1))] * (1 + ROOMS) == [each[:2] for each in launched]
    words = [given[:14] for _, _, given in launched]
    assert [64, 1024, 1027] == [each[6] for each in words[:3]]
    assert [150, 200, 200] == [each[7] for each in words[:3]]
    assert words[1][:6] == words[0][:6]


def test_a_ring_of_frames_is_told_of_once():
    """As of a camera: tables that lie on the device already stay there; others wait for none."""
    launched, copied = [], []
    work = HostWork(record(launched))
    kernel = FrameKernel(Preprocess(resize=(20, 70), resize_like="opencv"), work)
    upload = work.upload

    def count(address, array, **more):
        copied.append(address)
        upload(address, array, **more)

    ring = [[FrameOnGpu(64 * at, 40, 50, 3, 150), FrameOnGpu(0, 40, 50, 3, 150)] for at in (1, 2)]
    for frames in (*ring, *ring):
        kernel.run(frames, 128)
        work.upload = count

    assert 2 == len({given[0] for _, _, given in launched})
    assert 1 == len(copied)
