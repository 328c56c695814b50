"""From a recipe to what runs, in a notebook: no terminal, and files named in words."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

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
