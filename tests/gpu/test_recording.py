"""The recorder and its answers, on what there is without a GPU: a double, and TensorRT-RTX."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.backends.conftest import cuda, double, doubles
from tests.conftest import GOLDEN
from tests.gpu.conftest import ask, find_python
from tests.helpers import trt_recorder
from tests.helpers.trt_answers import BELIEVED, EXPECTED, RECORDED, find_answer, inner_tensor
from tests.helpers.trt_recorder import FLAVOURS, keep, list_questions
from trtbuild.machine.facts import list_gpus

__all__ = ["cuda", "double", "doubles"]

KNOWN = [
    pytest.param(kind, question, found, id=f"{kind}-{question}-{found.source}")
    for kind in FLAVOURS
    for question in EXPECTED
    if (found := find_answer(kind, question)) is not None
]
"""The name of each test says whether its answer is believed, or whose it is."""


@pytest.mark.parametrize(("kind", "question", "found"), KNOWN)
def test_what_doubles_answer_is_what_trtbuild_rests_on(kind, question, found):
    """Recorded or believed: reading it gives what a build or a report takes from it."""
    EXPECTED[question](kind, found.value)


def test_only_what_nobody_has_recorded_is_believed():
    """A recording of a question takes the place of what was believed of it."""
    for kind, question in BELIEVED:
        recorded = any(RECORDED.glob(f"{kind}-*/{question}.*"))
        assert recorded == (find_answer(kind, question).source != "believed"), (kind, question)


def test_every_question_says_what_rests_on_it():
    """A question without an expectation would be recorded and never looked at."""
    asked = {name for kind in FLAVOURS for name in list_questions(kind)}

    assert asked - {"about"} == EXPECTED.keys()


def test_the_newest_recording_counts(tmp_path):
    """By version as numbers, and with a GPU before without."""
    for name in ("10.9.0-nvidia-l4", "10.16.1-no-gpu", "10.16.1-nvidia-l4", "10.2.0-nvidia-l4"):
        folder = tmp_path / f"tensorrt10-{name}"
        folder.mkdir()
        (folder / "frozen.json").write_text(json.dumps(name))

    found = find_answer("tensorrt10", "frozen", tmp_path)

    assert ("10.16.1-nvidia-l4", "tensorrt10-10.16.1-nvidia-l4") == (found.value, found.source)
    assert find_answer("tensorrt10", "run", tmp_path) is None


def test_what_failed_is_not_kept(tmp_path):
    """An error in the place of an answer would be taken for one."""
    about = {"kind": "tensorrt10", "version": "10.16.1.11", "gpu": "NVIDIA L4 (8.9)"}
    for name, answer in {"about": about, "run": {"failed": "no"}, "frozen": {"first": ""}}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(answer))
    (tmp_path / "plan.bin").write_bytes(b"ftrt")

    folder = keep(tmp_path, tmp_path / "recorded")

    assert "tensorrt10-10.16.1.11-nvidia-l4-8.9" == folder.name
    assert ["about.json", "frozen.json", "plan.bin"] == sorted(x.name for x in folder.iterdir())


@pytest.mark.parametrize("kind", ["tensorrt10", "tensorrt11"])
def test_the_recorder_asks_a_double_everything(double, cuda, tmp_path, kind):
    """Each question leaves an answer or its error; what the double knows comes back."""
    surface = {
        "x": {"mode": "INPUT", "shape": [1, 8, 8, 8], "profiles": [[[1, 8, 8, 8]] * 3]},
        "y": {"mode": "OUTPUT", "shape": [1, 8, 8, 8]},
    }
    program = [trt_recorder.__file__, "recorder", kind, str(tmp_path / "answers")]

    double(kind, libraries=cuda, program=program, tensors=surface, cache="TRT-101601-X\n")

    answers = tmp_path / "answers"
    assert set(list_questions(kind)) == {path.stem for path in answers.glob("*.*")}
    about = json.loads((answers / "about.json").read_text())
    version = json.loads((GOLDEN / f"bindings/{kind}.json").read_text())["version"]
    assert (kind, version) == (about["kind"], about["version"])
    for question in ("network", "inspector", "plan"):
        (path,) = answers.glob(f"{question}.*")
        value = path.read_bytes() if path.suffix == ".bin" else json.loads(path.read_text())
        EXPECTED[question](kind, value)
    outputs = json.loads((answers / "run.json").read_text())["engine"]
    feed = np.random.default_rng(1).normal(size=(1, 8, 8, 8)).astype(np.float32)
    assert pytest.approx((2 * feed).ravel()[:64].tolist()) == outputs  # the double doubles


def test_tensorrt_rtx_answers_without_a_gpu(tmp_path):
    """It parses, refuses and compiles; what it says is as trtbuild takes it to be."""
    pytest.importorskip("tensorrt_rtx_bindings")

    assert 0 == ask("tensorrt_rtx", tmp_path).returncode

    for question in ("network", "plan", "refusals"):
        (path,) = tmp_path.glob(f"{question}.*")
        value = path.read_bytes() if path.suffix == ".bin" else json.loads(path.read_text())
        EXPECTED[question]("tensorrt_rtx", value)


@pytest.mark.skipif(bool(list_gpus()), reason="there is a GPU")
@pytest.mark.parametrize("kind", FLAVOURS)
def test_without_a_gpu_the_reason_is_told(kind):
    """What is skipped says what is missing: that TensorRT, or the GPU."""
    with pytest.raises(
        pytest.skip.Exception, match=r"not installed|no NVIDIA GPU|is needed"
    ) as told:
        find_python(kind)

    assert str(told.value).startswith(f"{kind}: ")


def test_the_name_of_what_the_parser_puts_into_a_gemm_is_known():
    """Ranges are laid on it in implicit mode."""
    assert inner_tensor("tensorrt10")
