"""Run a model over data."""

from __future__ import annotations

import re

import numpy as np
import onnx
import pytest

from tests.helpers.emulated_cuda import stand_in
from tests.helpers.models import model_of
from trtbuild.core.arrays import ArrayFile
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import INFERENCE_BATCH, INFERENCE_DEVICE
from trtbuild.core.sensitivity import PickedSamples
from trtbuild.data.base import Manifest, Sample
from trtbuild.model.session import Session
from trtbuild.steps.base import Context, Pinned, QuietEvents
from trtbuild.steps.capture_data import CaptureData, DataInput
from trtbuild.steps.infer import Infer

MODEL = """m (float[N, 2] x) => (float[N, 2] y, float[N] s) {
    y = Add(x, x)
    s = ReduceSum<keepdims = 0>(x, axes)
}"""
AXES = {"axes": np.array([1], np.int64)}
STEP = """{
  "model": {"step": "fix_graph", "output": "model"},
  "data": {
    "source": {"kind": "arrays", "path": "x.npy"}, "files": [],
    "manifest": {"step": "capture", "output": "manifest"},
    "stored": {"step": "capture", "output": "samples"}
  },
  "reference": %s
}"""


@pytest.fixture
def infer(tmp_path, monkeypatch):
    """Run the step over rows of data; returns the outputs' file and the events."""

    def run(
        rows,
        text=MODEL,
        *,
        dtype=np.float32,
        reference=False,
        threads=1,
        name="x",
        facts=None,
        known=None,
    ):
        samples = [
            Sample(f"x.npy[{i}]", {name: np.asarray(row, dtype)}) for i, row in enumerate(rows)
        ]
        monkeypatch.setattr(DataInput, "samples", lambda *_, **__: iter(samples))
        manifest = Manifest(count=len(samples), samples=(), tensors=(), labelled=False)
        (tmp_path / "manifest.json").write_text(manifest.model_dump_json())
        onnx.save(model_of(text, AXES if "axes" in text else {}), tmp_path / "model.onnx")
        inputs = {
            "fix_graph/model": tmp_path / "model.onnx",
            "capture/manifest": tmp_path / "manifest.json",
        }
        events = QuietEvents()
        context = Context(
            inputs=inputs, out=tmp_path, threads=threads, events=events, facts=facts or {}
        )
        step = Infer.model_validate_json(STEP % str(reference).lower())
        step.model_copy(update={"known": known}).run(context)
        return ArrayFile(tmp_path / "outputs.npz"), events

    return run


def test_every_output_is_kept_for_every_sample(infer):
    """Axis 0 is the samples, in order; a name in the model is the name in the file."""
    found, events = infer([[1, 2], [3, -4], [0.5, 0]])

    assert ("y", "s") == found.names
    assert [[2, 4], [6, -8], [1, 0]] == found.read("y").tolist()
    assert [3, -1, 0.5] == found.read("s").tolist()
    assert [] == events.notes


def test_how_many_threads_there_are_changes_nothing(infer):
    """Samples run side by side, and come out in order."""
    rows = np.random.default_rng(0).normal(size=(50, 2))
    found = [infer(rows, threads=threads)[0].read("y") for threads in (1, 2, 7, 0)]

    assert (rows.astype(np.float32) * 2 == found).all()


def test_the_first_sample_that_cannot_be_run_is_told(infer):
    """And not the one whose thread came first."""
    text = "m (float[N, k] x) => (float[N, k] y) { w = Constant<value_floats = [1.0, 2.0]>()\n"
    rows = [[1.0], [1.0, 2.0], *([[1.0] * 4] * 8)]

    with pytest.raises(StepInputError, match=r"sample x.npy\[2\] \(`x` \[1, 4\]\): ONNX Run"):
        infer(rows, text + "y = Add(x, w) }", threads=4)


def test_samples_of_several_sizes_are_run_one_by_one(infer):
    """Outputs are kept as rows, each of its own shape."""
    found, _ = infer([[1, 2], [3], [4, 5, 6]], "m (float[N, k] x) => (float[N, k] y) {y=Abs(x)}")
    rows = found.read_rows("y")

    assert [[1, 2], [3], [4, 5, 6]] == [rows.row(index).tolist() for index in range(3)]


def test_an_output_whose_size_is_data_is_kept(infer):
    """NonZero of two values, and of one."""
    found, _ = infer([[1, 2], [0, 2]], "m (float[1, 2] x) => (int64[2, K] y) { y = NonZero(x) }")

    assert [(2, 2), (2, 1)] == found.read_rows("y").shapes


def test_a_fixed_batch_takes_its_samples_together(infer):
    """Two at a time, and the same rows as one at a time."""
    found, _ = infer([[1, 2], [3, -4], [5, 6], [7, 8]], MODEL.replace("[N", "[2"))

    assert [3, -1, 11, 15] == found.read("s").tolist()


@pytest.fixture
def runs(monkeypatch):
    """How many samples each run took, where a CPU stands in for a GPU."""
    stand_in(monkeypatch, {})
    seen, run = [], Session.run

    def count(session, feed, outputs=None):
        seen.append(len(next(iter(feed.values()))))
        return run(session, feed, outputs)

    monkeypatch.setattr(Session, "run", count)
    return seen


@pytest.mark.parametrize(
    ("batch", "taken"),
    [({}, [2, 2, 2, 1, 1, 32, 18]), ({INFERENCE_BATCH: "1"}, [1] * 50)],
)
def test_on_a_gpu_samples_share_runs(infer, runs, batch, taken):
    """As many as may, but where that is not wanted; each has what it has alone."""
    rows = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    found, events = infer(rows, facts={INFERENCE_DEVICE: "NVIDIA L4 (8.9), CUDA", **batch})

    assert (rows * 2).tolist() == found.read("y").tolist()
    assert taken == runs
    assert [] == events.notes


@pytest.mark.parametrize(
    ("facts", "taken"),
    [({}, [1, 1, 1]), ({INFERENCE_DEVICE: "NVIDIA L4 (8.9), CUDA"}, [2, 2, 2, 1, 1, 5])],
)
def test_what_is_known_of_some_samples_is_not_run_again(infer, runs, tmp_path, facts, taken):
    """The file is the same, byte for byte; on a GPU, where company may change a sample, all run."""
    picked = PickedSamples(of=5, names=("b", "d"), places=(1, 3), digests=("", ""))
    rows = np.arange(10, dtype=np.float32).reshape(5, 2)
    infer(rows)
    whole = (tmp_path / "outputs.npz").read_bytes()
    infer(rows[[1, 3]])
    known = [str(tmp_path / name) for name in ("known.npz", "picked.json")]
    (tmp_path / "outputs.npz").rename(known[0])
    (tmp_path / "picked.json").write_text(picked.model_dump_json())
    runs.clear()
    infer(rows, facts=facts, known=known)

    assert taken == runs
    assert whole == (tmp_path / "outputs.npz").read_bytes()


def test_on_a_gpu_samples_that_change_each_other_run_alone(infer, runs):
    """As a sum over the batch does; which is said."""
    text = "m (float[N, 2] x) => (float[N, 2] y) { m = ReduceSum<keepdims=1>(x)\n y = Add(x, m) }"
    rows = np.arange(8, dtype=np.float32).reshape(4, 2)
    found, events = infer(rows, text, facts={INFERENCE_DEVICE: "NVIDIA L4 (8.9), CUDA"})

    assert (rows + rows.sum(1, keepdims=True)).tolist() == found.read("y").tolist()
    assert [1] * 4 == runs[-4:]
    assert "samples change each other's outputs" in events.notes[0]


def test_a_batch_that_does_not_come_out_even_is_an_error(infer):
    """The last, short batch is not silently dropped or padded."""
    with pytest.raises(StepInputError, match="takes 2 samples at once, and 3 samples") as error:
        infer([[1, 2]] * 3, MODEL.replace("[N", "[2"))

    assert "take 2 samples" in error.value.hint


def test_equal_inputs_give_equal_bytes(infer):
    """However many threads ran it."""
    rows = np.random.default_rng(0).normal(size=(9, 2))
    files = []
    for threads in (1, 2):
        found, _ = infer(rows, threads=threads)
        files.append(found._path.read_bytes())

    assert files[0] == files[1]


def test_an_output_without_a_batch_axis_is_one_row(infer):
    """A single number a sample becomes one number a row; a matrix stays whole."""
    text = "m (float[1, 2] x) => (float s, float[2, 1] t) { s = ReduceMax<keepdims = 0>(x)\n"
    found, _ = infer([[1, 2], [3, -4]], text + "t = Transpose(x) }")

    assert [2, 3] == found.read("s").tolist()
    assert (2, 2, 1) == found.shape("t")


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([[1, 2, 3]], {}, "sample x.npy[0]: `x` is float32 [3]; it must be float32 [2]"),
        (
            [[1, 2]],
            {"dtype": np.float64},
            "sample x.npy[0]: `x` is float64 [2]; it must be float32 [2]",
        ),
        ([[1, 2]], {"name": "image"}, "sample x.npy[0]: `image` is no input of the model"),
    ],
)
def test_a_sample_that_does_not_fit_is_named_with_the_input(infer, rows, options, message):
    """Nothing is cast or reshaped in silence."""
    with pytest.raises(StepInputError, match=re.escape(message)):
        infer(rows, **options)


UNFIT = {
    "two batches": (
        "m (float[2, 2] x, float[1, 2] k) => (float[2, 2] y) { y = Mul(x, k) }",
        "disagree on the batch: `x` [2, 2], `k` [1, 2]",
    ),
    "no batch in the output": (
        "m (float[2, 2] x) => (float[1, 2] y) { y = ReduceMax<axes = [0]>(x) }",
        "output `y` has shape [1, 2] for a batch of 2",
    ),
    "text": (
        "m (float[N, 2] x) => (string[N, 2] y) { y = Cast<to = 8>(x) }",
        "which is no number",
    ),
}


@pytest.mark.parametrize(("text", "message"), UNFIT.values(), ids=UNFIT)
def test_a_model_whose_rows_cannot_be_kept_is_an_error(infer, text, message):
    """What cannot be compared sample by sample is named."""
    with pytest.raises(StepInputError, match=re.escape(message)):
        infer([[1, 2], [0, 2]], text)


ROOT = "m (float[N, 2] x) => (float[N, 2] y) { y = Sqrt(x) }"


def test_a_nan_of_the_candidate_is_a_note(infer):
    """The comparison goes on, and the report says where the output is no number."""
    found, events = infer([[1, 4], [-1, 9], [-1, -1]], ROOT)

    assert [1, 2] == found.read("y")[0].tolist()
    assert [
        "output `y` holds NaN or infinite values for 2 samples (the first: x.npy[1])"
    ] == events.notes


def test_a_nan_of_the_reference_is_an_error(infer):
    """Nothing can be compared with it."""
    message = "output `y` of the reference is NaN for x.npy[1]"
    with pytest.raises(StepInputError, match=re.escape(message)):
        infer([[1, 4], [-1, 9]], ROOT, reference=True)


def test_an_infinity_of_the_reference_is_a_note(infer):
    """Some models mean it: a logit that is masked out."""
    _, events = infer([[np.inf, 4]], ROOT, reference=True)

    assert 1 == len(events.notes)


def test_captured_files_are_read(tmp_path):
    """From an npz on disk, through its manifest, to outputs."""
    np.savez(tmp_path / "eval.npz", x=np.array([[1, 2], [3, 4]], np.float32))
    onnx.save(model_of(MODEL, AXES), tmp_path / "model.onnx")
    file = Pinned(
        path=str(tmp_path / "eval.npz"), digest=digest_of_file(tmp_path / "eval.npz")
    ).model_dump_json()
    source = f'"source": {{"kind": "arrays", "path": "eval.npz"}}, "files": [{file}]'
    CaptureData.model_validate_json(f"{{{source}}}").run(Context(inputs={}, out=tmp_path))
    inputs = {
        "fix_graph/model": tmp_path / "model.onnx",
        "capture/manifest": tmp_path / "manifest.json",
        "capture/samples": tmp_path / "samples.npz",
    }
    step = re.sub(r'"source".*"files": \[\]', source, STEP % "true", flags=re.DOTALL)

    Infer.model_validate_json(step).run(Context(inputs=inputs, out=tmp_path))

    assert [3, 7] == ArrayFile(tmp_path / "outputs.npz").read("s").tolist()


HALF = "m (float16[N, 2] x) => (float16[N, 2] y) { y = Add(x, x) }"


@pytest.mark.parametrize("reference", [False, True])
def test_samples_are_rounded_to_the_float16_that_a_model_takes(reference, infer):
    """The reference too, where the model itself is 16-bit; 2049 lies between two of its numbers."""
    found, _ = infer([[1, 2049]], HALF, reference=reference)

    assert [[2, 4096]] == found.read("y").tolist()


CAST = """m (float[N, 2] x) => (float[N, 2] y) {
    a = Cast<to = 10>(x)  b = Add(a, a)  y = Cast<to = 1>(b)
}"""


@pytest.mark.parametrize(
    ("text", "expected"), [(CAST, [[2, np.inf]]), (HALF, [[2, np.inf]]), (MODEL, None)]
)
def test_half_precision_overflows_here_as_it_would(infer, text, expected):
    """120000 is infinite in FP16; how that is found out is said."""
    found, events = infer([[1, 60000]], text)

    assert (text != MODEL) == any("rounded to 16 bits" in note for note in events.notes)
    assert expected is None or expected == found.read("y").tolist()


def test_what_half_precision_in_bodies_hides_is_said(infer):
    """Such a model runs as it is, in FP32 between its layers."""
    body = "{ a = Cast<to = 10>(x)  b = Add(a, a)  r = Cast<to = 1>(b) }"
    text = f"""m (float[N, 2] x) => (float[N, 2] y) <bool c = {{1}}> {{
        y = If (c) <then_branch = t () => (float[N, 2] r) {body},
                    else_branch = e () => (float[N, 2] r) {body}>
    }}"""
    _, events = infer([[1, 6]], text)

    assert any("does not show" in note for note in events.notes)


def test_tensors_in_front_of_a_plugin_stand_for_the_outputs_behind_it(infer):
    """The one in front of a Cast is kept; the step says what is not compared, and what is."""
    text = """m (float[N, 2] x) => (float[N, 2] kept, float[N, 2] z) {
        a = Add(x, x)  h = Cast<to = 6>(a)  [nms0] n = EfficientNMS_TRT(h)  kept = Neg(n)
        z = Neg(x)
    }"""
    found, events = infer([[1, 2]], text, reference=True)

    assert ("z", "a") == found.names
    assert [[2, 4]] == found.read("a").tolist()
    assert ["nothing compared behind EfficientNMS_TRT `nms0`"] == events.caveats
    assert [
        "not compared: `kept`, behind EfficientNMS_TRT `nms0`; compared instead, at the cut: `a`"
    ] == events.notes


def test_a_model_that_begins_with_a_plugin_cannot_be_compared(infer):
    """Nothing stands in front of it."""
    with pytest.raises(StepInputError, match="nothing can be compared: all of the model stands"):
        infer([[1, 2]], "m (float[N, 2] x) => (float[N, 2] y) { y = Own_TRT(x) }")
