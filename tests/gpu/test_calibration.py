"""Calibration on a real GPU: what is counted there is what the CPU counts of the same values."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.calib.collect import collect_histograms
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import observing
from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import INFERENCE_DEVICE
from trtbuild.machine.facts import InstalledPackages
from trtbuild.model.feeds import Feed
from trtbuild.model.providers import make_cuda

pytestmark = pytest.mark.gpu
MODEL = """
g (float[N, 3, 24, 24] x) => (float[N, 10] y) {
  a = Conv <pads = [1, 1, 1, 1]> (x, w)
  b = Relu(a)
  c = GlobalAveragePool(b)
  d = Flatten(c)
  e = Gemm(d, v)
  y = Softmax(e)
}
"""
TENSORS = ["x", "a", "b", "e", "y"]
RNG = np.random.default_rng(7)
WEIGHTS = {
    "w": RNG.normal(0, 0.3, (16, 3, 3, 3)).astype(np.float32),
    "v": RNG.normal(0, 3, (16, 10)).astype(np.float32),
}


class Sample:
    def __init__(self, index, values):
        self.name = f"s{index}"
        self.arrays = {"x": values}


def samples(count):
    sizes = RNG.normal(0, 1, (count, 3, 24, 24)) * np.arange(1, count + 1)[:, None, None, None]
    return [Sample(i, each.astype(np.float32)) for i, each in enumerate(sizes)]


@pytest.fixture(scope="module")
def _gpu():
    """Skip, with the reason, where ONNX Runtime computes on no GPU."""
    found = InstalledPackages(inference="auto")
    if INFERENCE_DEVICE not in found:
        pytest.skip(f"ONNX Runtime computes on no GPU here: {found.doubts or 'no onnxruntime-gpu'}")


@pytest.fixture
def watched(_gpu, tmp_path):
    """The model on the GPU, observed."""
    model = model_of(MODEL, WEIGHTS)
    with observing(model, TENSORS, folder=tmp_path, providers=make_cuda()) as found:
        yield found


def collect(watched, given, *, counted=True, notes=None):
    observer, feeder = watched
    found = {name: Histogram(counted=counted) for name in TENSORS}
    told = [] if notes is None else notes
    consumed = collect_histograms(
        observer, feeder.feeds(given), found, progress=lambda _: None, note=told.append
    )
    assert len(given) == consumed
    return found


def fetched(watched, given, batch):
    """What the CPU counts of the values that the GPU makes in the same batches."""
    found = {name: Histogram() for name in TENSORS}
    for start in range(0, len(given), batch):
        part = np.stack([each.arrays["x"] for each in given[start : start + batch]])
        feed = Feed(tuple(each.name for each in given[start : start + batch]), {"x": part})
        for name, values in watched[0].values(feed.arrays):
            found[name].add(values)
    return found


@pytest.mark.parametrize("count", [1, 2, 70])
def test_counts_equal_the_cpu_s_bit_for_bit(watched, count):
    """Of the same values, in the same batches, in whatever order blocks ran."""
    given = samples(count)
    notes = []
    found = collect(watched, given, notes=notes)
    expected = fetched(watched, given, 32 if count > 1 else 1)

    assert (count > 1) == any("in batches of 32" in note for note in notes)
    for name in TENSORS:
        mine, its = found[name], expected[name]
        fields = ("low", "high", "total", "exponent")
        assert [getattr(its, each) for each in fields] == [getattr(mine, each) for each in fields]
        assert its.counts.tolist() == mine.counts.tolist()


def test_extremes_alone_are_the_same(watched):
    """Where nothing is counted."""
    given = samples(5)
    counted, plain = (collect(watched, given, counted=each) for each in (True, False))

    for name in TENSORS:
        assert (counted[name].low, counted[name].high) == (plain[name].low, plain[name].high)


def test_what_is_not_finite_names_the_tensor_and_the_sample(watched):
    """Found in its batch, by running each sample alone."""
    given = samples(40)
    given[36].arrays["x"][1, 2, 3] = np.nan

    with pytest.raises(StepInputError, match="`x` holds a NaN or an infinity for sample s36"):
        collect(watched, given)


def test_where_memory_ends_runs_take_fewer_samples(watched, monkeypatch):
    """The rest of the GPU's memory is taken by somebody else: it goes on."""
    from trtbuild.calib.on_gpu import collect as module

    observer, _ = watched
    given = samples(64)
    expected = collect(watched, given)
    run = module._Runs._compute

    def compute(runs, slot):
        if len(slot.feeds) > 8:
            observer.work.allocate(1 << 50)  # raises what the driver says of too much
        run(runs, slot)

    monkeypatch.setattr(module._Runs, "_find_independent", lambda *given: given[3])
    monkeypatch.setattr(module._Runs, "_compute", compute)
    notes = []
    found = collect(watched, given, notes=notes)

    assert any("memory is short" in note or "not enough memory" in note for note in notes), notes
    for name in TENSORS:
        assert expected[name].total == found[name].total
        assert found[name].high == pytest.approx(expected[name].high, rel=1e-5)


def test_numbers_are_those_of_the_cpu_but_for_roundings(watched, tmp_path):
    """No TF32, and Q/DQ would be computed as they stand."""
    observer, _ = watched
    model = model_of(MODEL, WEIGHTS)
    x = samples(1)[0].arrays["x"][None]
    with observing(model, TENSORS, folder=tmp_path) as (on_cpu, _):
        expected = dict(on_cpu.values({"x": x}))

    for name, values in observer.values({"x": x}):
        np.testing.assert_allclose(values, expected[name], rtol=1e-4, atol=1e-5)
