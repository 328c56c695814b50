"""Runs of ONNX Runtime recorded as CUDA graphs, on a real GPU."""

from __future__ import annotations

import statistics

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from tests.helpers.models import model_of
from trtbuild.model.providers import CUDA
from trtbuild.timing.base import Setting, TimedModel
from trtbuild.timing.onnx_runtime import OnnxRuntime

pytestmark = pytest.mark.gpu
KIND = OnnxRuntime(kind="onnx_runtime", provider="cuda")
LAYERS = 20
MODEL = (
    "g (float[n,8,16,16] x0) => (float[n,8,16,16] y) {"
    + " ".join(
        f"c{at} = Conv <pads: ints = [1, 1, 1, 1]> (x{at}, w)  x{at + 1} = Tanh(c{at})"
        for at in range(LAYERS)
    )
    + f" y = Relu(x{LAYERS}) }}"
)


@pytest.fixture
def subject(tmp_path):
    """Small layers, so that launching them is most of the time."""
    if CUDA not in ort.get_available_providers():
        pytest.skip(f"this ONNX Runtime has no {CUDA}")
    weights = np.random.default_rng(0).normal(0, 0.1, (8, 8, 3, 3)).astype(np.float32)
    onnx.save(model_of(MODEL, {"w": weights}), tmp_path / "m.onnx")
    return TimedModel("m", "onnx", tmp_path / "m.onnx")


def feed(batch, seed=1):
    drawn = np.random.default_rng(seed).normal(0, 1, (batch, 8, 16, 16))
    return {"x0": drawn.astype(np.float32)}


def test_graphs_replay_what_runs_compute(subject):
    """At one set of shapes after the other, and back; with and without copies."""
    plain, recorded = (KIND.open(subject, Setting(1, cuda_graphs=each)) for each in (False, True))
    for batch in (1, 4, 1):
        for opened in (plain, recorded):
            opened.feed(feed(batch))
            opened.call()
            opened.call_whole()
        for name, each in plain.outputs().items():
            np.testing.assert_allclose(recorded.outputs()[name], each, rtol=1e-2, atol=1e-2)


def test_a_replay_costs_less_than_the_launches(subject):
    """Of 40 small kernels: by the host's clock and by the device's; printed for whoever reads."""
    found = {}
    for graphs in (False, True):
        opened = KIND.open(subject, Setting(1, cuda_graphs=graphs))
        opened.feed(feed(1))
        times = []
        for _ in range(300):
            opened.call()
            times.append(opened.read_events_ms())
        found[graphs] = statistics.median(times[100:])
        opened.close()
    print(f"{found[False]:.3f} ms launched, {found[True]:.3f} ms replayed")  # noqa: T201

    assert found[True] > 0
