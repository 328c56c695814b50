"""From a recipe to what runs, in a notebook: no terminal, and files named in words."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.projects import edit
from trtbuild import api
from trtbuild.core.arrays import ArrayFile
from trtbuild.core.errors import LockMismatch, UsageError
from trtbuild.plan.lock import find_lock, read_lock, write_lock
from trtbuild.run.inline import Inline

X = np.array([[1, 0, 0, 0], [0, 0, 0, 1]], np.float32)
"""It picks the first and the last row of the weight: -6, -5, -4 and 3, 4, 5."""


class Counting(Inline):
    """Counts the steps that it is given, and whether it is closed."""

    def __init__(self):
        super().__init__()
        self.started, self.closed = 0, 0

    def start(self, call):
        self.started += 1
        super().start(call)

    def close(self):
        self.closed += 1


def test_a_recipe_is_planned_built_and_planned_again(project):
    """All is to run, then nothing; results lie below the recipe's own name."""
    before = api.plan(project)
    done = api.apply(project, build_dir="build")
    after = api.plan(project)

    assert {"run"} == {each.verdict for each in before.decisions}
    assert {"reuse"} == {each.verdict for each in after.decisions}
    assert Path("build/tiny") == done.directory
    assert (done.directory / "report.md").read_text().startswith("# tiny\n")
    assert "<html" in (done.directory / "report.html").read_text()
    assert before.plan.steps == after.plan.steps


def test_an_executor_of_the_callers_own_is_used_and_left_open(project):
    """Whoever made it closes it."""
    executor = Counting()

    api.apply(project, build_dir="build", executor=executor)
    assert 0 < executor.started
    assert 0 == executor.closed
    with pytest.raises(UsageError, match="no executor `nowhere`"):
        api.apply(project, build_dir="build", executor="nowhere")


def test_why_knows_what_moved_and_what_would(project):
    """The last run against the one before, and the next one."""
    api.apply(project, build_dir="build")
    edit(Path(project), "x: 1.0", "x: 2.0")
    api.apply(project, build_dir="build")
    edit(Path(project), "x: 2.0", "x: 4.0")

    found = {each.step: each for each in api.why(project)}

    assert ("same", "reuse") == (found["fix_graph"].last, found["fix_graph"].next.verdict)
    assert ("changed", "run") == (found["quantize"].last, found["quantize"].next.verdict)
    (last,), (following,) = found["quantize"].last_reasons, found["quantize"].next.reasons
    assert ("params.manual.x", [-1.0, 1.0], [-2.0, 2.0]) == (last.path, last.before, last.after)
    assert ([-2.0, 2.0], [-4.0, 4.0]) == (following.before, following.after)


def test_what_is_locked_is_built_with_the_locks_ranges(project):
    """And nothing else is."""
    api.apply(project, build_dir="build")
    api.lock(project)

    assert api.apply(project, build_dir="build", locked=True).passed
    lock = find_lock(Path(project))
    write_lock(lock, read_lock(lock).model_copy(update={"sources": {}}))
    with pytest.raises(LockMismatch, match=r"sources: model\.onnx: new"):
        api.apply(project, build_dir="build", locked=True)


def test_a_built_recipe_runs_on_arrays(project):
    """By the recipe, or by the model that was placed; what comes out may be kept."""
    np.savez("x.npz", x=X)
    api.apply(project, build_dir="build")

    found = api.run(project, "x.npz", build_dir="build", output="y.npz")

    assert np.array([[-6, -5, -4], [3, 4, 5]]) == pytest.approx(found.outputs["y"], abs=0.1)
    assert found.outputs["y"].tolist() == ArrayFile(Path("y.npz")).read("y").tolist()


def test_any_file_is_inspected(project):
    """Also one that is no engine."""
    Path("it.engine").write_bytes(b"nothing")

    assert "no" == api.inspect("it.engine", plugins=["p.so"]).fits


def test_a_target_is_printed_as_a_program(project):
    """That Python can read; one that is no TensorRT has none."""
    edit(Path(project), "targets:\n", "targets:\n  gpu: {kind: tensorrt11, gpu: sm_90}\n")

    ast.parse(api.script(project, "gpu"))
    with pytest.raises(UsageError, match="no TensorRT engine"):
        api.script(project, "ort")


def test_the_store_is_where_the_environment_says(project, tmp_path):
    """Nowhere else."""
    assert tmp_path / "store" == api.open_store().root


STATES = """m (float[n, 5, 8] x, float[2, n, 8] h, float[2] size, float t)
    => (float[n, 5, 8] y, float[2, n, 8] h2) {
  f = ReduceSum<keepdims = 0>(size)  c = MatMul(x, w)  d = Mul(c, f)  y = Mul(d, t)
  e = MatMul(h, w)  h2 = Relu(e)
}"""
STATES_RECIPE = """\
version: 1
name: states
model: {kind: onnx, path: states.onnx}
inputs: {t: {fill: 2}}
data:
  calib: {kind: arrays, path: calib.npz}
  eval: {kind: arrays, path: eval.npz}
quantization: {data: calib, calibrator: {kind: minmax}}
targets: {ort: {kind: onnxruntime}}
compare: {data: eval, metrics: [sqnr_db]}
"""


@pytest.mark.usefixtures("project")
def test_states_sizes_and_scalars_are_fed():
    """A state brings its batch axis, the second; a size has none; a scalar is filled."""
    random = np.random.default_rng(0)
    weight = {"w": random.normal(size=(8, 8)).astype(np.float32)}
    onnx.save(model_of(STATES, weight), "states.onnx")
    for name in ("calib", "eval"):
        shapes = {"x": (4, 5, 8), "h": (4, 2, 1, 8), "size": (4, 2)}
        arrays = {key: random.uniform(-1, 1, each) for key, each in shapes.items()}
        np.savez(f"{name}.npz", **{key: each.astype(np.float32) for key, each in arrays.items()})
    Path("states.yaml").write_text(STATES_RECIPE)

    done = api.apply("states.yaml", build_dir="build")

    assert done.record.comparison is not None
    measures = {each.output: each.value for each in done.record.comparison.measures}
    assert {"y", "h2"} == measures.keys()
    assert min(measures.values()) > 30
