"""Where engines are compared: a GPU is made up, and the engine's outputs on it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tests.helpers.executors import Recording, WithMadeUpGpu
from tests.helpers.plans import FACTS
from tests.helpers.projects import edit, small_project
from trtbuild import api
from trtbuild.cli.show import write_applied
from trtbuild.core.errors import StepFailed
from trtbuild.model.session import open_session
from trtbuild.plan.lock import find_lock
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.run.inline import Inline
from trtbuild.verbs.engine_places import find_engine_places

L4 = "NVIDIA L4 (8.9)"
RAN = f"TensorRT-RTX 1.7.1.116 on {L4}"
TEXT = """\
version: 1
name: tiny
model: {kind: onnx, path: tiny.onnx}
data: {eval: {kind: arrays, path: eval.npz}}
quantization: {ranges: {x: 1.0}}
compare: {data: eval}
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.6, 8.9]}
  ten: {kind: tensorrt10, gpu: sm_90}
  cpu: {kind: onnxruntime}
"""
FULL = {**FACTS, "tensorrt": "10.16.1.11"}


def places_of(facts, text=TEXT):
    recipe = check_source("tiny.yaml", parse_recipe_text("tiny.yaml", text.encode())).recipe
    executor = Recording(facts=facts)
    places = {name: executor.place(each.needs()) for name, each in recipe.targets.items()}
    found, remarks = find_engine_places(recipe, executor, places)
    return list(found), remarks


@pytest.mark.parametrize(
    ("gpu", "targets"),
    [(None, []), (L4, ["rtx"]), ("NVIDIA H100 (9.0)", ["ten"]), ("NVIDIA B (12.0)", [])],
)
def test_an_engine_runs_on_a_gpu_that_it_is_for(gpu, targets):
    """TensorRT-RTX's on any that is listed, TensorRT's on the one that builds it."""
    facts = {**FULL, "tensorrt_rtx_cu13_bindings": "1.7"} | ({"gpu": gpu} if gpu else {})

    assert (targets, ()) == places_of(facts)


def test_without_a_comparison_no_engine_is_run():
    """There is nothing to hold it against."""
    text = TEXT.replace("compare: {data: eval}\n", "")

    assert ([], ()) == places_of({**FULL, "gpu": L4}, text)


def test_what_cannot_be_run_on_its_gpu_is_remarked_on():
    """Silence would read as if the engine had been measured."""
    text = TEXT.replace("gpu: sm_90", "refit: all, strip_plan: true")

    found, remarks = places_of({**FULL, "gpu": L4}, text)

    assert [] == [name for name in found if name == "ten"]
    assert ("the engine of `ten` is not compared: its weights are stripped (`strip_plan`)",) == (
        remarks
    )


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    """The small project, built without a GPU, and what its float model gives."""
    folder = tmp_path_factory.mktemp("built")
    recipe = small_project(folder / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTBUILD_STORE", str(folder / "store"))
        applied = api.apply(recipe, build_dir=folder / "build", executor=Inline())
        with np.load(recipe.with_name("eval.npz")) as data:
            session = open_session(applied.directory / "model.fp32.onnx", threads=1, mapped=False)
            outputs = [session.run({"input": each[None]})["logits"] for each in data["input"]]
    return folder, np.concatenate(outputs)


class Built:
    """A copy of the project, its store and its files."""

    def __init__(self, folder, logits):
        self.recipe = folder / "project/recipe.yaml"
        self.directory = folder / "build/small"
        self.logits = logits

    def apply(self, outputs=None, *, failure=None, **more):
        """Apply it, beside a GPU where its engine's `outputs` or `failure` are given; steps too."""
        made_up = WithMadeUpGpu(L4, {"logits": outputs}, failure=failure)
        executor = Inline() if outputs is None and failure is None else made_up
        build_dir = self.directory.parent
        done = api.apply(self.recipe, build_dir=build_dir, executor=executor, **more)
        return done, getattr(executor, "started", [])


@pytest.fixture
def built(built_once, tmp_path, monkeypatch):
    folder, logits = built_once
    shutil.copytree(folder, tmp_path / "copy")
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "copy/store"))
    return Built(tmp_path / "copy", logits)


def test_on_its_gpu_the_engine_is_compared_and_nothing_else_is_made_again(built):
    """Its figures lie beside the engine; those of the model are what they were."""
    model = (built.directory / "comparison.json").read_bytes()

    done, started = built.apply(1.01 * built.logits)

    assert ["infer_engine(rtx)", "compare_engine(rtx)"] == started
    assert model == (built.directory / "comparison.json").read_bytes()
    (engine,) = done.record.engine_comparisons
    assert ("engine of rtx", RAN) == (engine.candidate, engine.runner)
    # A hundredth of the signal is lost: 40 dB.
    (sqnr,) = [each.value for each in engine.measures if each.metric == "sqnr_db"]
    assert 40 == pytest.approx(sqnr, abs=0.01)
    placed = json.loads((built.directory / "rtx/comparison.json").read_text())
    assert RAN == placed["runner"]
    assert done.passed


def test_report_and_terminal_say_what_measured_each_figure(built, capsys):
    """The model's and the engine's stand one after the other, each with its runner."""
    done, _ = built.apply(1.01 * built.logits)
    page = (built.directory / "report.md").read_text()
    write_applied(done, quiet=False, verbose=False)
    shown = capsys.readouterr().out

    assert "samples; measured by ONNX Runtime on the CPU" in page
    assert f"samples; measured by {RAN}" in page
    assert f"ran on the same 6 samples in {RAN}: these numbers are the engine's" in page
    assert shown.index("measured by ONNX Runtime on the CPU") < shown.index(f"measured by {RAN}")
    assert RAN in (built.directory / "report.html").read_text()


def test_a_gate_is_judged_on_the_engine_too(built, capsys):
    """The model passes and its engine does not: the answer is no, and it says whose gate."""
    done, _ = built.apply(-built.logits)
    write_applied(done, quiet=True, verbose=False)

    verdicts = [(engine, each.passed) for engine, each in done.record.list_verdicts()]
    assert [("", True), ("engine of rtx", False)] == verdicts
    assert not done.passed
    assert "gate failed: engine of rtx: sqnr_db" in capsys.readouterr().err
    page = (built.directory / "failed/report.md").read_text()
    assert "(engine of rtx, output `logits`)" in page


def test_away_from_its_gpu_all_is_as_before(built):
    """What an apply beside a GPU left is taken away again: it is not of this build."""
    before = {path: path.read_bytes() for path in built.directory.rglob("*.json")}
    page = (built.directory / "report.md").read_bytes()
    built.apply(built.logits)

    done, _ = built.apply()

    after = {path: path.read_bytes() for path in built.directory.rglob("*.json")}
    skipped = built.directory / ".trtbuild.json"
    assert before.keys() == after.keys()
    assert [] == [path for path in after if after[path] != before[path] and path != skipped]
    assert page == (built.directory / "report.md").read_bytes()
    assert () == done.record.engine_comparisons


def test_a_lock_does_not_hold_the_gpu_of_a_comparison(built):
    """What is locked beside a GPU is built without one."""
    built.apply(built.logits)
    executor = WithMadeUpGpu(L4, {"logits": built.logits})
    api.lock(built.recipe, executor=executor)

    assert "gpu" not in find_lock(built.recipe).read_text()
    done, _ = built.apply(locked=True)
    assert done.passed


def test_of_the_targets_asked_for_the_engines_are_run(built):
    """`--target` builds and compares that one alone."""
    text = "  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}\n"
    edit(built.recipe, text, text + text.replace("rtx:", "two:"))

    made = api.plan(built.recipe, targets=("two",), executor=WithMadeUpGpu(L4, {})).plan

    names = {each.name for each in made.steps if "engine" in each.name}
    assert {"build_engine(two)", "infer_engine(two)", "compare_engine(two)"} == names


GATES = "  gates:\n    - {metric: sqnr_db, at_least: 10}\n"
FULL_GPU = {
    "message": "TensorRT-RTX refuses the engine: CUDA error 2: out of memory",
    "hint": "the GPU has too little free memory: end what else uses it",
    "code": 3,
}
WHY = f"{FULL_GPU['message']} (hint: {FULL_GPU['hint']})"


def test_what_an_engine_that_does_not_run_leaves_standing(built, capsys):
    """All else is placed; pages, the terminal and its own comparison say that it was not run."""
    edit(built.recipe, GATES, "")

    done, _ = built.apply(failure=FULL_GPU)
    write_applied(done, quiet=False, verbose=False)
    write_applied(done, quiet=True, verbose=False)

    assert done.passed
    assert (built.directory / "rtx/model.engine").is_file()
    assert f"engine of rtx: not run: {WHY}" in capsys.readouterr().out
    placed = json.loads((built.directory / "rtx/comparison.json").read_text())
    assert (WHY, []) == (placed["not_run"], placed["measures"])
    page = (built.directory / "report.md").read_text()
    assert FULL_GPU["message"] in page
    assert "The run failed" not in page
    assert "nothing to do" not in page


def test_a_gate_on_an_engine_that_does_not_run_is_not_judged(built, capsys):
    """The model passes, which says nothing of its engine: nothing is placed but what says so."""
    done, _ = built.apply(failure=FULL_GPU)
    write_applied(done, quiet=True, verbose=False)

    verdicts = [(on, each.passed, each.judged) for on, each in done.record.list_verdicts()]
    assert [("", True, True), ("engine of rtx", False, False)] == verdicts
    assert not done.passed
    said = capsys.readouterr().err
    assert f"engine of rtx: not run: {WHY}" in said
    assert "gate not judged: engine of rtx: sqnr_db ≥" in said
    assert "`logits` the engine was not run" in said
    assert "the model and what ran pass" in said
    assert WHY in (built.directory / "failed/rtx/comparison.json").read_text()
    assert "the engine was not run" in (built.directory / "failed/report.md").read_text()
    assert built.apply(failure=FULL_GPU, no_gates=True)[0].record.waived


def test_an_engine_that_did_not_run_is_run_again_by_the_next_apply(built):
    """What failed for want of memory may well work now: nothing of it was kept."""
    assert not built.apply(failure=FULL_GPU)[0].passed

    done, started = built.apply(1.01 * built.logits)

    assert (True, ["infer_engine(rtx)", "compare_engine(rtx)"]) == (done.passed, started)
    assert () == done.record.unrun_engines
    assert RAN == json.loads((built.directory / "rtx/comparison.json").read_text())["runner"]


@pytest.mark.parametrize("code", [5, 70])
def test_damage_and_bugs_are_no_engines_that_do_not_run(built, code):
    """They are told as what they are."""
    with pytest.raises(StepFailed) as failed:
        built.apply(failure={**FULL_GPU, "code": code})

    assert code == failed.value.code
