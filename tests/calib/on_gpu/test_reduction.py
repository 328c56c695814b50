"""All tensors of a run by two launches, and what comes back at the end."""

from __future__ import annotations

import numpy as np

from tests.helpers.emulated_cuda import HostWork
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.on_gpu.reduction import Reduction, Snapshot
from trtbuild.calib.on_gpu.tables import ObservedTensor


def observe(*arrays):
    return [
        ObservedTensor(each.ctypes.data, each.size, each.dtype == np.float16) for each in arrays
    ]


def test_runs_add_up_until_they_are_forgotten(kernels):
    """Of tensors that are counted, and of those whose extremes are enough."""
    histograms = {"a": Histogram(), "b": Histogram(counted=False)}
    work = HostWork(kernels)
    reduction = Reduction(work, histograms)
    snapshot = Snapshot(work, 2)
    first, second = np.array([1, -3], np.float32), np.array([0.5], np.float16)
    reduction.add(observe(np.full(9, 50, np.float32), second), snapshot)
    reduction.reset()
    for _ in range(2):
        reduction.add(observe(first, second), snapshot)

        assert [] == reduction.name_not_finite(snapshot)
    reduction.finish(histograms)

    assert (-3, 1, 4, 4) == (
        histograms["a"].low, histograms["a"].high, histograms["a"].total,
        histograms["a"].counts.sum(),
    )  # fmt: skip
    assert (0.5, 0.5, 2) == (histograms["b"].low, histograms["b"].high, histograms["b"].total)
    assert 8 << 14 == reduction.size_bytes


def test_a_tensor_that_is_not_finite_is_named_after_its_run(kernels):
    """And an empty one is none."""
    work = HostWork(kernels)
    reduction = Reduction(work, {"a": Histogram(), "b": Histogram()})
    snapshot = Snapshot(work, 2)
    reduction.add(observe(np.zeros(0, np.float32), np.array([np.nan], np.float16)), snapshot)

    assert ["b"] == reduction.name_not_finite(snapshot)
