"""trtbuild bench, as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from tests.helpers.examples import differences, example
from tests.helpers.models import model_of
from tests.helpers.projects import edit

FAST = ["--iterations", "16", "--warmup", "0", "--no-cold"]


@pytest.fixture(autouse=True)
def _here(steps_here):
    """Steps run in this process."""


def test_a_recipe_is_timed_at_the_shapes_of_its_profiles(applied_project, trtbuild):
    """Each model that can run here; what cannot is named. A second run measures anew."""
    answer = trtbuild("bench", "recipe.yaml", *FAST)
    first = json.loads(Path("build/small/bench.json").read_text())
    plots = {each.name for each in Path("build/small").glob("*.svg")}
    trtbuild("bench", "recipe.yaml", *FAST, "--batch", "2", "--only", "int8/*")
    second = json.loads(Path("build/small/bench.json").read_text())

    assert 0 == answer.code, answer.err
    assert [1, 1, 2, 2, 4, 4] == [row["batch"] for row in first["rows"]]
    assert {"data eval"} == {row["inputs"] for row in first["rows"]}
    assert "int8/onnxruntime-cuda: this ONNX Runtime" in answer.out
    assert "not run: rtx/engine: " in answer.out
    assert "wrote build/small/bench.json" in answer.out.splitlines()
    assert ["int8/onnxruntime-cpu"] == [row["variant"] for row in second["rows"]]
    assert first["when"] < second["when"]
    assert {"latency", "throughput", "size", "accuracy"} == {
        each.removeprefix("bench-").removesuffix(".svg") for each in plots
    }
    assert {"bench-accuracy.svg"} == {each.name for each in Path("build/small").glob("*.svg")}


def test_a_recipe_says_how(project, trtbuild):
    """Its section has batches and a protocol; what is typed wins."""
    section = "bench: {batches: [3], protocol: {iterations: 16, rounds: 8, warmup_seconds: 0}}\n"
    project.write_text(project.read_text() + section)
    answer = trtbuild("bench", "recipe.yaml", "--no-cold", "--seed", "5", "--format", "json", "-q")
    found = json.loads(answer.out)

    assert 0 == answer.code, answer.err
    assert [3, 3] == [row["batch"] for row in found["rows"]]
    assert (16, 8, 5) == tuple(found["protocol"][k] for k in ("iterations", "rounds", "seed"))
    assert 8 * 4 == found["rows"][0]["host"]["calls"]
    assert (True, 1) == (found["contrasts"][0]["paired"], len(found["contrasts"]))


def test_the_readme_shows_what_is_said(trtbuild, tmp_path, monkeypatch):
    """Of two models, whatever the times."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    for name in ("fp32", "int8"):
        onnx.save(model_of("g (float[n,3] x) => (float[n,3] y) { y = Add(x, x) }"), f"{name}.onnx")
    command = "bench fp32.onnx int8.onnx --batch 4 --seconds 0.5"
    answer = trtbuild(*command.split()[:-1], "0.01", "--warmup", "0", "--no-cold")

    assert 0 == answer.code, answer.err
    assert [] == differences(example(f"trtbuild {command}"), answer.out)


def test_models_are_timed_side_by_side(applied_project, trtbuild):
    """By their files' names, on drawn inputs; each started alone, too."""
    models = [f"build/small/model.{name}.onnx" for name in ("fp32", "int8")]
    answer = trtbuild("bench", *models, *FAST[:-1], "--shape", "input=2x3x8x8", "--out", "there")
    found = json.loads(Path("there/bench.json").read_text())

    assert 0 == answer.code, answer.err
    assert (
        "model.int8.onnx/onnxruntime-cpu is slower" in answer.out or "no difference" in answer.out
    )
    assert {"seeded"} == {row["inputs"] for row in found["rows"]}
    assert all(each["cold"]["first_call_ms"] > 0 for each in found["variants"])
    assert "in a process of its own" in answer.out


def test_requests_come_at_a_rate(applied_project, trtbuild):
    """By a recipe's section or as typed, which wins; table, plots, and each variant alone."""
    section = "bench: {load: {rates: [50], max_batch: 3}}\n"
    Path("recipe.yaml").write_text(Path("recipe.yaml").read_text() + section)
    words = ["bench", "recipe.yaml", *FAST, "--batch", "1"]
    answer = trtbuild(*words, "--rate", "40", "--rate", "80", "--arrivals", "uniform",
                      "--seconds", "0.2", "--max-wait-ms", "1")  # fmt: skip
    found = json.loads(Path("build/small/bench.json").read_text())["load"]

    assert 0 == answer.code, answer.err
    assert ([40.0, 80.0], 3, 0.2) == tuple(
        found["asked"][k] for k in ("rates", "max_batch", "seconds")
    )
    assert [("fp32/onnxruntime-cpu", 8), ("fp32/onnxruntime-cpu", 16)] == [
        (row["variant"], row["requests"]) for row in found["rows"][:2]
    ]
    assert {1, 2, 3} == set(found["sizes"])
    assert "requests that come evenly for 0.2 s, up to 3 a call, held 1 ms for more" in answer.out
    assert Path("build/small/bench-queue.svg").is_file()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["recipe.yaml", "model.onnx"], 2, "one recipe is timed at a time"),
        (["gone.onnx"], 4, "gone.onnx: there is no such file"),
        (["model.onnx", "--data", "eval"], 2, "`--data` names a recipe's data set"),
        (["model.onnx", "--shape", "input=1x3x8"], 2, "does not fit"),
        (["model.onnx", "--shape", "input:1"], 2, "--shape input:1: is no shape"),
        (["model.onnx", "--iterations", "1"], 2, "protocol's `iterations`"),
        (["model.onnx", "--max-batch", "4"], 2, "--max-batch: at which rate do requests come?"),
        (["model.onnx", "--rate", "0"], 2, "--rate: Input should be greater than 0"),
        (["model.onnx", "--rate", "9", "--arrivals", "x"], 2, "--arrivals: Input should be"),
        (["model.onnx", *FAST, "--only", "half/*"], 2, "`half/*` means no variant"),
        (["recipe.yaml", "--data", "gone"], 2, "there is no data set `gone`"),
        (["calib.npz"], 2, "none of them can run here"),
    ],
)
def test_what_cannot_be_timed_is_said(applied_project, trtbuild, words, code, said):
    """One error, and nothing written."""
    answer = trtbuild("bench", *words)

    assert (code, True) == (answer.code, said in answer.err + answer.out), answer.err
    assert not Path("build/small/bench.json").exists()


def test_a_section_that_is_wrong_is_told_with_its_line(project, trtbuild):
    """Data that there is not, and an option out of bounds."""
    edit(project, "compare:", "bench: {data: evil, protocol: {rounds: 2}}\ncompare:")
    answer = trtbuild("validate", "recipe.yaml")

    assert 2 == answer.code
    assert "there is no data set `evil`" in answer.err + answer.out
    assert "rounds" in answer.err + answer.out


def test_a_result_is_held_against_another(project, trtbuild, tmp_path):
    """The last one, a file, or what trtexec wrote; `diff` of two files says the same."""
    (tmp_path / "t.json").write_text(json.dumps([{"computeMs": 1.5, "latencyMs": 2.0}] * 3))
    words = ["bench", "model.onnx", *FAST, "--batch", "1", "-q"]
    first = trtbuild(*words, "--out", "one", "--against", tmp_path / "t.json")
    second = trtbuild(*words, "--out", "two", "--against", "last")
    diff = trtbuild("diff", "one/bench.json", "two/bench.json")
    marked = trtbuild("diff", "one/bench.json", "two/bench.json", "--format", "markdown")
    other = trtbuild(*words, "--seed", "9", "--against", "last")

    assert "by trtexec: shown beside, and not compared" in first.out
    assert "computing on the device: p50 1.5 ms" in first.out
    assert "the last bench → now" in second.out
    assert diff.code in {0, 1}, diff.err
    assert "one/bench.json → two/bench.json" in diff.out
    assert marked.out.startswith("# Speed: one/bench.json → two/bench.json")
    assert (2, True) == (other.code, "seed: 0 → 9" in other.err)
