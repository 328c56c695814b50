"""trtbuild compare, as its user meets it: y = x against y = 1.1 x, which is noise of a tenth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.helpers.examples import differences, example
from tests.helpers.models import model_of

RECIPE = """\
version: 1
name: r
model: {kind: onnx, path: gone.onnx}
data: {eval: {kind: arrays, path: samples.npz, labels: label}}
targets: {cpu: {kind: onnxruntime}}
compare:
  data: eval
  outputs: {first: "y[:, :2]"}
  metrics: [sqnr_db, {kind: classification, output: y}]
  gates: [{metric: sqnr_db, output: first, at_least: 30}]
"""
SAMPLES = np.float32([[3, 1, 0, 0], [0, 2, 0, 1], [0, 0, 4, 1], [1, 0, 0, 2]])


@pytest.fixture(scope="module")
def _store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def _pair(_store, tmp_path, monkeypatch, steps_here):
    """The current directory has two models, data and a recipe; what is equal is run once for all.

    Contents alone count for the store, so that tests share what they make of the same files.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRTBUILD_STORE", str(_store))
    for name, scale in {"fp32": 1.0, "int8": 1.1}.items():
        text = "g (float[n, 4] x) => (float[n, 4] y) { y = Mul(x, scale) }"
        onnx.save(model_of(text, {"scale": np.float32(scale)}), f"{name}.onnx")
    np.savez("samples.npz", x=SAMPLES, label=[0, 1, 2, 0])
    np.savez("bare.npz", x=SAMPLES)
    np.save("bare.npy", SAMPLES)
    Path("recipe.yaml").write_text(RECIPE)


def test_two_models_are_compared_without_a_recipe(trtbuild):
    """As the README shows it; the second time nothing is run, and nothing but the store written."""
    typed = ("compare", "fp32.onnx", "int8.onnx", "--data", "samples.npz", "--labels", "label")
    typed = (*typed, "--metric", "sqnr_db", "--metric", "top1")
    before = sorted(Path().iterdir())
    answer = trtbuild(*typed)
    again = trtbuild(*typed)

    assert 0 == answer.code, answer.err
    assert [] == differences(example(f"trtbuild {' '.join(typed)}"), answer.out)
    assert (answer.out, "") == (again.out, again.err)
    assert before == sorted(Path().iterdir())


@pytest.mark.parametrize(
    ("device", "code", "told"),
    [("cuda", 4, "has no CUDA provider"), ("gpu", 2, "`gpu` is no device"), ("cpu", 0, "")],
)
def test_a_device_is_really_there_or_it_is_an_error(trtbuild, device, code, told):
    """This ONNX Runtime is the one for CPUs; nothing falls back without a word."""
    found = trtbuild("compare", "fp32.onnx", "int8.onnx", "--data", "bare.npz", "--device", device)

    if device == "cuda" and "CUDA provider" not in found.err:
        pytest.skip("there is a GPU, and an ONNX Runtime for it")
    assert code == found.code
    assert told in found.err


def test_a_model_is_the_same_as_itself(trtbuild):
    """Two files of one name are told apart by their paths; an npy file is for the one input."""
    Path("other").mkdir()
    Path("other/fp32.onnx").write_bytes(Path("fp32.onnx").read_bytes())
    answer = trtbuild("compare", "fp32.onnx", "other/fp32.onnx", "--data", "bare.npy")

    assert 0 == answer.code, answer.err
    assert "other/fp32.onnx against fp32.onnx" == answer.out.splitlines()[0]
    assert "identical" in answer.out


def test_a_gate_that_fails_is_exit_code_1_and_the_report_is_there(trtbuild):
    """Rules in words, or as a recipe has them; files are written where they are asked for."""
    gates = ["sqnr_db >= 19", "{metric: sqnr_db, at_least: 21}", "max_abs <= 0.5"]
    more = [word for gate in gates for word in ("--gate", gate)]
    answer = trtbuild(
        "compare", "fp32.onnx", "int8.onnx", "--data", "bare.npz", "--out", "o", *more
    )
    found = json.loads(Path("o/comparison.json").read_text())

    assert 1 == answer.code
    assert [True, False, True] == [each["passed"] for each in found["verdicts"]]
    assert "gate failed: sqnr_db ≥ 21: `y` 20.00 dB" in answer.err
    assert "wrote o/comparison.json, o/report.md, o/report.html" == answer.out.splitlines()[-1]
    report = Path("o/report.md").read_text()
    assert report.startswith("# int8.onnx against fp32.onnx\n\n**A gate failed:**")
    assert "<title>int8.onnx against fp32.onnx</title>" in Path("o/report.html").read_text()


@pytest.mark.parametrize(
    "source",
    [["--data", "recipe.yaml:eval"], ["--recipe", "recipe.yaml"], ["--data", "recipe.yaml"]],
)
def test_a_recipe_gives_data_metrics_parts_and_gates(trtbuild, source):
    """Its model is not asked for; what is typed counts beside it."""
    answer = trtbuild(
        "compare", "fp32.onnx", "int8.onnx", *source, "--metric", "cosine", "--format", "json"
    )
    answered = json.loads(answer.out)
    found = answered["comparison"]

    assert (1, False) == (answer.code, answered["passed"])
    assert {"y", "first", ""} == {each["output"] for each in found["measures"]}
    assert {"sqnr_db", "cosine", "top3", "balanced_accuracy"} == {
        each["metric"] for each in found["measures"]
    }
    assert ["sqnr_db ≥ 30"] == [each["gate"] for each in found["verdicts"]]


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("int8.onnx", 2, "--data is missing"),
        ("int8.onnx --data gone.npz", 4, "--data gone.npz: there is no such file"),
        ("gone.onnx --data bare.npz", 4, "gone.onnx: there is no such file"),
        ("recipe.yaml --data bare.npz", 2, "recipe.yaml: is a recipe, and two models are compared"),
        ("bare.npz --data bare.npz", 3, "bare.npz is not an ONNX model"),
        ("int8.onnx --data bare.npz --metric top1", 2, "hint: --labels NAME says which array"),
        ("int8.onnx --data bare.npz --metric sqnr", 2, "did you mean `sqnr_db`?"),
        ("int8.onnx --data samples.npz", 2, "--labels NAME says which array of samples.npz"),
        ("int8.onnx --data recipe.yaml:gone", 2, "its data sets: eval; choose one by"),
        ("int8.onnx --data . ", 2, "--data .: is a folder"),
    ],
)
def test_what_is_wrong_is_one_error(trtbuild, typed, code, said):
    """With what to do, before any model is run."""
    answer = trtbuild("compare", "fp32.onnx", *typed.split(), "-q", "--out", "out")

    assert (code, "") == (answer.code, answer.out)
    assert said in answer.err
    assert 1 == answer.err.count("error:")
    assert not Path("out/comparison.json").exists()


def test_two_that_differ_in_their_outputs_are_shown_side_by_side(trtbuild):
    """By name, and by shape where names are the same."""
    text = "g (float[n, 4] x) => (float[n, 4] z) { z = Mul(x, scale) }"
    onnx.save(model_of(text, {"scale": np.float32(1)}), "other.onnx")
    answer = trtbuild("compare", "fp32.onnx", "other.onnx", "--data", "bare.npz")

    assert 2 == answer.code
    assert "error: the two differ in their outputs" in answer.err
    assert "  fp32.onnx: inputs `x` [n, 4]; outputs `y` [n, 4]" in answer.err
    assert "  other.onnx: inputs `x` [n, 4]; outputs `z` [n, 4]" in answer.err


def test_an_engine_that_cannot_run_here_is_said_to_be_one(trtbuild):
    """With the way out; a missing GPU is exit code 4."""
    Path("e.engine").write_bytes(b"ftrt" + bytes(20) + bytes([10, 16, 1, 11]) + bytes(100))
    answer = trtbuild("compare", "fp32.onnx", "e.engine", "--data", "bare.npz")

    assert 4 == answer.code
    assert "e.engine: is an engine, and cannot run here:" in answer.err
    assert "the ONNX models that they were built from" in answer.err
