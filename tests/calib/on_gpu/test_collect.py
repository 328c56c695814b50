"""Calibration in runs of several samples, by the kernels' source on a CPU in a GPU's place."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.emulated_cuda import HostWork
from tests.helpers.models import model_of
from trtbuild.calib.collect import collect_histograms
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import observing
from trtbuild.core.errors import StepInputError

MODEL = """
g (float[N, 6] x) => (float[N, 6] y) {
  a = Relu(x)
  b = Mul(a, a)
  y = Sub(b, x)
}
"""
TENSORS = ["x", "a", "b", "y"]


class Sample:
    def __init__(self, index, values):
        self.name = f"s{index}"
        self.arrays = {"x": np.asarray(values, np.float32)}


def samples(count=11, seed=1):
    rng = np.random.default_rng(seed)
    return [Sample(index, rng.normal(0, 1 + index, 6)) for index in range(count)]


@pytest.fixture
def collect(kernels, tmp_path):
    """Collect on the CPU, or as on a GPU; return histograms and notes."""

    def run(given, *, gpu, text=MODEL, counted=True, batch=0):
        found = {name: Histogram(counted=counted or name == "a") for name in TENSORS}
        notes = []
        with observing(model_of(text), TENSORS, folder=tmp_path, batch=batch) as (observer, feeder):
            if gpu:
                observer.work = HostWork(kernels)
            told = []
            count = collect_histograms(
                observer, feeder.feeds(given), found, progress=told.append, note=notes.append
            )
        assert (len(given), sorted(told)) == (count, told)
        return found, notes

    return run


def same(one, other):
    for name in TENSORS:
        mine, its = one[name], other[name]
        fields = ("low", "high", "total", "exponent")
        assert [getattr(mine, each) for each in fields] == [getattr(its, each) for each in fields]
        assert mine.counts.tolist() == its.counts.tolist()


@pytest.mark.parametrize("count", [1, 2, 3, 11, 70])
@pytest.mark.parametrize("counted", [True, False])
def test_batches_count_what_samples_count_one_by_one(collect, count, counted):
    """Elementwise, nothing is rounded otherwise; the last batch is smaller."""
    given = samples(count)
    expected, _ = collect(given, gpu=False, counted=counted)
    found, notes = collect(given, gpu=True, counted=counted)

    same(expected, found)
    assert (count > 1) == any("in batches of 32" in note for note in notes)


def test_a_batch_that_is_asked_for_is_not_exceeded(collect):
    """With 1, each sample has the numbers that it has alone."""
    given = samples()
    expected, _ = collect(given, gpu=False)
    for batch, told in ((1, []), (3, ["in batches of 3,"])):
        found, notes = collect(given, gpu=True, batch=batch)

        same(expected, found)
        assert len(told) == len(notes)
        assert all(word in note for word, note in zip(told, notes, strict=True))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("failing", [lambda n: n > 4, lambda n: n > 1])
def test_a_run_that_fails_is_halved_and_counted_once(collect, monkeypatch, failing, late):
    """Down to one sample at a time, at first or later; what was known before goes on."""
    from trtbuild.calib.on_gpu import collect as module

    given = samples(29)
    expected, _ = collect(given, gpu=False)
    compute = module._Runs._compute

    def compute_or_fail(runs, slot):
        if failing(len(slot.feeds)):
            raise StepInputError("ONNX Runtime cannot run the model: Failed to allocate memory")
        compute(runs, slot)

    monkeypatch.setattr(module._Runs, "_compute", compute_or_fail)
    if late:
        monkeypatch.setattr(module._Runs, "_find_independent", lambda *given: given[3])
    found, notes = collect(given, gpu=True)

    same(expected, found)
    assert any("memory is short" in note or "one at a time" in note for note in notes)


def test_what_fails_alone_is_an_error_that_names_the_sample(collect, monkeypatch):
    """As on the CPU: which samples, and of which shape."""
    from trtbuild.calib.on_gpu import collect as module

    def fail(runs, slot):
        with slot.feeds[0].blamed():
            raise StepInputError("no")

    monkeypatch.setattr(module._Runs, "_compute", fail)

    with pytest.raises(StepInputError, match=r"sample s0 \(`x` \[1, 6\]\): no"):
        collect(samples(), gpu=True)


@pytest.mark.parametrize("odd", [0, 1, 7, 36])
@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_the_sample_that_is_not_finite_is_named_as_on_the_cpu(collect, odd, value):
    """Within its batch it is found by running each sample alone."""
    given = samples(40)
    given[odd].arrays["x"][2] = value
    told = []
    for gpu in (False, True):
        with pytest.raises(StepInputError) as caught:
            collect(given, gpu=gpu)
        told.append((caught.value.message, caught.value.hint))

    assert told[0] == told[1]
    assert f"sample s{odd}" in told[0][0]


def test_samples_that_change_each_other_are_run_one_by_one(collect):
    """A model that normalizes over its batch axis is no model of one sample."""
    text = """
    g (float[N, 6] x) => (float[N, 6] y) {
      a = Relu(x)
      m = ReduceMean <axes = [0]> (x)
      b = Sub(x, m)
      y = Mul(b, a)
    }
    """
    given = samples()
    expected, _ = collect(given, gpu=False, text=text)
    found, notes = collect(given, gpu=True, text=text)

    same(expected, found)
    assert ["samples change each other's values in a run: it ran on one at a time"] == notes


def test_samples_of_several_sizes_are_batched_with_their_like(collect):
    """Neighbours alone, so that the order stays."""
    text = MODEL.replace("[N, 6]", "[N, L]")
    given = samples(9)
    for index, sample in enumerate(given):
        sample.arrays["x"] = np.resize(sample.arrays["x"], 4 if index in (3, 4, 8) else 6)
    expected, _ = collect(given, gpu=False, text=text)
    found, _ = collect(given, gpu=True, text=text)

    same(expected, found)
