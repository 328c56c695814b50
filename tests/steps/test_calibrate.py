from __future__ import annotations

import re

import numpy as np
import onnx
import pytest

from tests.helpers.emulated_cuda import compile_kernels, stand_in
from tests.helpers.models import model_of
from trtbuild.calib.count import BINS
from trtbuild.calib.on_gpu.kernels import COUNT, EXTREMES, write_source
from trtbuild.calib.tails import Tails
from trtbuild.core.errors import StepInputError
from trtbuild.core.histograms import Histograms
from trtbuild.core.needs import INFERENCE_BATCH, INFERENCE_DEVICE
from trtbuild.core.values import Ranges
from trtbuild.data.base import Manifest, Sample
from trtbuild.steps import calibrate as step
from trtbuild.steps.base import Context, QuietEvents
from trtbuild.steps.calibrate import Calibrate, count_processes
from trtbuild.steps.capture_data import DataInput

MODEL = """
<ir_version: 8, opset_import: ["" : 17]>
tiny (float[N, 4] x) => (float[N, 2] y)
<float[4, 4] w = {1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1}, float[4, 2] v = {1,0, 0,1, 1,0, 0,1}>
{ h = MatMul(x, w)  r = Relu(h)  y = MatMul(r, v) }
"""
STEP = """{
  "model": {"step": "fix_graph", "output": "model"},
  "data": {
    "source": {"kind": "arrays", "path": "x.npy"}, "files": [],
    "manifest": {"step": "capture", "output": "manifest"},
    "stored": {"step": "capture", "output": "samples"}
  },
  "calibrator": %s
}"""


class Told(QuietEvents):
    """Events that remember progress too."""

    def __init__(self):
        super().__init__()
        self.steps = []

    def progress(self, done, total, unit):
        """Remember it."""
        self.steps.append((done, total, unit))


@pytest.fixture
def calibrate(tmp_path, monkeypatch):
    """Run the step on rows of data; returns the ranges, what was told, and the bytes."""

    def run(
        rows,
        *,
        calibrator='{"kind": "minmax"}',
        text=MODEL,
        captured=None,
        threads=1,
        name="x",
        facts=None,
    ):
        samples = [
            Sample(f"x.npy[{i}]", {name: np.asarray(row, np.float32)}) for i, row in enumerate(rows)
        ]
        monkeypatch.setattr(DataInput, "samples", lambda *_, **__: iter(samples))
        count = len(samples) if captured is None else captured
        manifest = Manifest(count=count, samples=(), tensors=(), labelled=False)
        (tmp_path / "manifest.json").write_text(manifest.model_dump_json())
        onnx.save(model_of(text), tmp_path / "model.onnx")
        inputs = {
            "fix_graph/model": tmp_path / "model.onnx",
            "capture/manifest": tmp_path / "manifest.json",
        }
        told = Told()
        context = Context(
            inputs=inputs, out=tmp_path, threads=threads, events=told, facts=facts or {}
        )
        Calibrate.model_validate_json(STEP % calibrator).run(context)
        data = (tmp_path / "ranges.json").read_bytes()
        return Ranges.model_validate_json(data).tensors, told, data

    return run


def test_finds_the_range_of_what_is_quantized(calibrate):
    """The inputs of both products have their observed range; nothing else has one."""
    ranges, told, _ = calibrate([[-3, 1, 2, 0], [0, 5, 1, 1]])

    assert {"x": (-3, 5), "r": (0, 5)} == {name: (r.low, r.high) for name, r in ranges.items()}
    assert {("calibrated", "minmax")} == {(r.origin, r.calibrator) for r in ranges.values()}
    assert [(1, 2, "samples"), (2, 2, "samples")] == told.steps
    assert ["calibrated on 2 samples: ranges of activations are usually found on 100 to 1000"] == (
        told.notes
    )


def test_a_model_in_bf16_is_calibrated_too(calibrate):
    """By its twin: ONNX Runtime has no BF16 on a CPU."""
    text = MODEL.replace("x) =>", "a) =>").replace("{ h =", "{ x = Cast <to: int = 16> (a) h =")
    text = text.replace("float[4", "bfloat16[4").replace("float[N, 2] y", "bfloat16[N, 2] y")
    text = re.sub(r"\b1\b", "16256", text)  # the bits of 1.0
    ranges, _, _ = calibrate([[-3, 1, 2, 0], [0, 5, 1, 1]], text=text, name="a")

    assert {"x": (-3, 5), "r": (0, 5)} == {name: (r.low, r.high) for name, r in ranges.items()}


@pytest.mark.parametrize(("count", "notes", "warnings"), [(1, 0, 1), (99, 1, 0), (100, 0, 0)])
def test_few_samples_are_said(calibrate, count, notes, warnings):
    """In passing; one alone is a warning."""
    _, told, _ = calibrate([[-3, 1, 2, 0]] * (count - 1) + [[-3, 2, 2, 1]])

    assert (notes, warnings) == (len(told.notes), len(told.warnings))


def test_what_a_narrower_range_would_cut_off_is_kept(calibrate, tmp_path):
    """Where values are counted: of 1 to 100, 30 in a hundred lie above 70.7."""
    rows = [[value, value, value, value] for value in range(1, 101)]
    calibrate(rows, calibrator='{"kind": "percentile"}')
    share, decibels = (
        Tails.read_json((tmp_path / "tails.json").read_bytes(), what="").tensors["x"].cut(70.71)
    )

    assert share == pytest.approx(0.3, abs=0.01)
    # Σ x² is 338 350, and of x - 70.71 above it 8 810: a 38th.
    assert decibels == pytest.approx(15.84, abs=0.05)


@pytest.mark.parametrize("kind", ["minmax", "entropy2", "percentile"])
def test_threads_and_order_do_not_change_a_byte(calibrate, kind):
    """ranges.json is the same for any number of threads and any order of samples."""
    rows = np.random.default_rng(0).standard_t(2, (40, 4))
    calibrator = f'{{"kind": "{kind}"}}'

    one = calibrate(rows, calibrator=calibrator, threads=1)[2]

    assert one == calibrate(rows[::-1], calibrator=calibrator, threads=3)[2]


def test_what_the_data_does_not_reach_is_noted(calibrate):
    """A tensor that is all zero is listed."""
    _, told, _ = calibrate([[-3, -1, -2, 0]])

    assert ["r: all zero over the calibration data"] == told.notes
    assert "calibrated on 1 sample" in told.warnings[0]


@pytest.mark.parametrize("kind", ["minmax", "mse"])
def test_data_of_another_order_than_the_model_expects_is_noted(calibrate, kind):
    """Pixels of 0 to 255 for a layer whose biases suggest 0 to 1: a warning with figures."""
    text = MODEL.replace("h = MatMul(x, w)", "h = Gemm(x, w, b)")
    text = text.replace("<float[4, 4]", "<float[4] b = {1, 1, 1, 1}, float[4, 4]")

    _, told, _ = calibrate([[255, 255, 0, 255]], calibrator=f'{{"kind": "{kind}"}}', text=text)

    assert "x: the data looks far too large for `h`: it spans 0 to 255" in told.warnings[0]


def test_a_tensor_may_have_a_calibrator_of_its_own(calibrate):
    """An override is recorded in the table."""
    overrides = '{"kind": "minmax"}, "overrides": {"r": {"kind": "percentile"}}'

    ranges, _, _ = calibrate([[1, 2, 3, 4]], calibrator=overrides)

    assert {"r": "percentile", "x": "minmax"} == {n: r.calibrator for n, r in ranges.items()}


@pytest.mark.parametrize("captured", [1, 3])
def test_every_captured_sample_must_come(calibrate, captured):
    """Fewer or more samples than were captured: an error, never a shorter calibration."""
    with pytest.raises(StepInputError, match=f"consumed 2 samples; {captured} were captured"):
        calibrate([[1, 2, 3, 4], [1, 2, 3, 4]], captured=captured)


def test_nan_in_a_sample_is_an_error(calibrate):
    """It names the tensor and the sample."""
    with pytest.raises(StepInputError, match=r"`x` holds a NaN .* x\.npy\[1\]"):
        calibrate([[1, 2, 3, 4], [1, 2, np.nan, 4]])


def test_a_fixed_batch_is_filled(calibrate):
    """A model with a batch of two takes two samples a run."""
    rows = [[1, 2, 3, 4], [5, 6, 7, 8]]

    assert calibrate(rows)[2] == calibrate(rows, text=MODEL.replace("N", "2"))[2]
    with pytest.raises(StepInputError, match="takes 2 samples at once, and 1 samples"):
        calibrate(rows[:1], text=MODEL.replace("N", "2"))


def test_a_torn_model_is_an_error(calibrate, tmp_path, monkeypatch):
    """Bytes that are no ONNX model: said so."""
    monkeypatch.setattr("onnx.save", lambda _, path: path.write_bytes(b"\xff\xff\xff"))
    with pytest.raises(StepInputError, match=r"model\.onnx is not an ONNX model"):
        calibrate([[1, 2, 3, 4]])


def test_processes_have_work_and_room(tmp_path, monkeypatch):
    """No more than threads or samples, nor than weights fit into half of the memory, but one."""
    model = tmp_path / "model.onnx"
    model.write_bytes(bytes(100))

    def count(threads, samples, memory):
        monkeypatch.setattr(step, "count_machine_bytes", lambda: memory)
        return count_processes(Context(inputs={}, out=tmp_path, threads=threads), model, samples)

    found = [count(*each) for each in ((4, 9, 1000), (9, 3, 1000), (9, 9, 399), (9, 9, 199))]
    assert [4, 3, 2, 1] == found


def test_ranges_in_front_of_a_plugin_are_those_without_it(calibrate):
    """What stands behind it is cut off; what it reads is calibrated where a layer reads it too."""
    rows = np.random.default_rng(0).standard_normal((6, 4))
    entropy = '{"kind": "entropy2"}'
    with_plugin = MODEL.replace("float[N, 2] y)", "float[N, 2] out)").replace(
        "y = MatMul(r, v)", "y = MatMul(r, v)  k = EfficientNMS_TRT(y, r)  out = MatMul(k, u)"
    )
    with_plugin = with_plugin.replace("<float[4, 4]", "<float[2, 2] u = {1,0, 0,1}, float[4, 4]")

    alone, _, _ = calibrate(rows, calibrator=entropy)
    beside, _, _ = calibrate(rows, calibrator=entropy, text=with_plugin)

    assert alone == beside
    assert {"x", "r"} == set(beside)


def test_keeps_how_values_are_spread(calibrate, tmp_path):
    """Of what is counted, in a few bins an octave: a report draws them."""
    calibrate([[1, 2, 4, 8]], calibrator='{"kind": "mse"}')
    found = Histograms.read_json((tmp_path / "histograms.json").read_bytes(), what="").tensors["x"]

    assert (8.0, 4, 1) == (found.largest, found.total, found.counts[-1])


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """The kernels of the GPU, compiled for the CPU."""
    folder = tmp_path_factory.mktemp("kernels")
    shared = f"extern __shared__ u32 bins[]; => static u32 bins[{BINS}];"
    return compile_kernels(write_source(), {EXTREMES: 4, COUNT: 4}, folder, shared)


@pytest.mark.parametrize("kind", ["minmax", "entropy2", "auto"])
def test_where_its_facts_name_a_gpu_it_calibrates_there(calibrate, monkeypatch, kernels, kind):
    """Here the CPU stands in for it: the same ranges, and it is said in which batches."""
    rows = np.random.default_rng(1).normal(0, 1, (9, 4)).astype(np.float32)
    expected, told, _ = calibrate(rows, calibrator=f'{{"kind": "{kind}"}}')
    streams = stand_in(monkeypatch, kernels)
    for batch, words in ((None, "in batches of 32"), ("1", "")):
        facts = {INFERENCE_DEVICE: "NVIDIA L4 (8.9), CUDA"}
        facts |= {} if batch is None else {INFERENCE_BATCH: batch}
        found, told, _ = calibrate(rows, calibrator=f'{{"kind": "{kind}"}}', facts=facts)

        assert expected == found
        assert bool(words) == any("in batches of 32" in note for note in told.notes)
    assert 2 == len(streams)
