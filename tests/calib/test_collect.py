from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.models import convolutions, model_of
from trtbuild.calib.collect import _Collector, collect_histograms, make_pool
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import observing
from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feed

RELU = """
<ir_version: 8, opset_import: ["" : 17]>
tiny (float[N, 3] x) => (float[N, 3] y) { a = Relu(x)  b = Sqrt(a)  y = Add(b, b) }
"""


def feed(name, *values):
    return Feed((name,), {"x": np.asarray([values], np.float32)})


def run(feeds, tensors=("x", "a", "b"), text=RELU, size=1):
    histograms = {name: Histogram() for name in tensors}
    done = []
    model = model_of(text)
    with make_pool(size) as pool, observing(model, tensors, folder=Path()) as (observer, _):
        count = collect_histograms(observer, feeds, histograms, pool=pool, progress=done.append)
    assert list(range(1, len(done) + 1)) == done
    return count, histograms


def test_every_observed_tensor_is_reduced():
    """Input, inner tensors and extents over two samples."""
    count, found = run([feed("a", -4, 0, 4), feed("b", -1, 9, 1)])

    assert 2 == count
    assert {"x": (-4, 9), "a": (0, 9), "b": (0, 3)} == {
        name: (histogram.low, histogram.high) for name, histogram in found.items()
    }
    assert {6} == {histogram.total for histogram in found.values()}


@pytest.mark.parametrize("size", [1, 2, 5])
def test_what_is_not_finite_is_named_with_its_sample(size):
    """An infinity on the way is an error that names the tensor and the first such sample."""
    text = RELU.replace("Sqrt(a)", "Reciprocal(a)")
    bad = [feed(f"bad{i}.png", 0, 1, 2) for i in range(9)]
    with pytest.raises(StepInputError, match=r"`b` holds a NaN or an infinity for sample bad0"):
        run([feed("good", 1, 2, 3), *bad], text=text, size=size)


def test_nan_in_the_data_names_the_input():
    """A NaN in a sample is found where it enters."""
    with pytest.raises(StepInputError, match=r"`x` holds a NaN or an infinity for sample c\.npy"):
        run([feed("a", 1, 2, 3), feed("c.npy", 1, float("nan"), 3)])


@pytest.fixture
def patient(monkeypatch):
    """Collect while this process waits until another has reduced a feed.

    Returns how many feeds were reduced here.
    """
    add, own, others = _Collector.add, [], threading.Event()

    def wait_and_add(collected, feed):
        assert others.wait(60)
        own.append(feed.samples)
        add(collected, feed)

    monkeypatch.setattr(_Collector, "add", wait_and_add)

    def run(feeds, histograms, size):
        own.clear()
        others.clear()
        if size == 1:
            others.set()
        names = list(histograms)
        with (
            make_pool(size) as pool,
            observing(convolutions(), names, folder=Path()) as (observer, _),
        ):
            collect_histograms(
                observer, feeds, histograms, pool=pool, progress=lambda _: others.set()
            )
        return len(own)

    return run


def test_processes_do_not_change_the_result(patient):
    """One, two and three count the same, in any order."""
    rng = np.random.default_rng(0)
    feeds = [
        Feed((str(i),), {"x": rng.standard_normal((1, 3, 20, 20)).astype(np.float32)})
        for i in range(7)
    ]
    states = []
    for size, order in ((1, feeds), (2, feeds), (3, feeds[::-1])):
        histograms = {name: Histogram() for name in ("x", "a", "b", "y")}
        assert (patient(order, histograms, size) < len(feeds)) == (size > 1)
        states.append(
            [(h.low, h.high, h.total, h.exponent, h.counts.tolist()) for h in histograms.values()]
        )

    assert states[0] == states[1] == states[2]


def test_a_failing_run_is_quoted():
    """What ONNX Runtime says of a sample stands in the error."""
    with pytest.raises(StepInputError, match="cannot run the model"):
        run([Feed(("a",), {"x": np.ones((1, 5), np.float32)})])


def test_only_floats_have_ranges():
    """An integer tensor is refused by name."""
    text = """
    <ir_version: 8, opset_import: ["" : 17]>
    tiny (float[N, 3] x) => (int64[2] y) { y = Shape(x) }
    """
    with pytest.raises(StepInputError, match="`y` is int64"):
        run([feed("a", 1, 2, 3)], tensors=("y",), text=text)
