"""What every executor promises, whoever runs the steps and wherever."""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.helpers.projects import edit, small_project
from tests.helpers.staged import Staged, artifacts
from trtbuild import api
from trtbuild.api.executors import EXECUTORS, ExecutorSettings
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import StepFailed
from trtbuild.core.needs import Needs

NAMES = [*EXECUTORS, "staged"]


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    return small_project(tmp_path / "project")


@pytest.fixture
def make(tmp_path):
    """Make an executor by its name, and close it in the end."""
    with contextlib.ExitStack() as stack:

        def made(name):
            if name == "staged":
                hidden = (tmp_path / "project", tmp_path / "store")
                executor = Staged(tmp_path / "elsewhere", hidden)
            else:
                executor = EXECUTORS[name](ExecutorSettings(jobs=2))
            return stack.enter_context(contextlib.closing(executor))

        yield made


def apply(recipe, executor, tmp_path):
    return api.apply(recipe, build_dir=tmp_path / "build", executor=executor)


@pytest.fixture(scope="session")
def digests(tmp_path_factory):
    """What the project's steps make: their digests, by step and artifact."""
    place = tmp_path_factory.mktemp("once")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTBUILD_STORE", str(place / "store"))
        return artifacts(apply(small_project(place / "project"), "inline", place))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_comes_of_every_step(name, recipe, make, tmp_path, digests):
    """Byte for byte, wherever it runs."""
    assert digests == artifacts(apply(recipe, make(name), tmp_path))


def test_an_engine_says_which_table_is_behind_it(recipe, tmp_path):
    """The digest of ranges.json beside it, and what found the ranges."""
    apply(recipe, "inline", tmp_path)

    build = tmp_path / "build/small"
    behind = json.loads((build / "rtx/engine.json").read_text())["ranges"]
    assert digest_of_file(build / "ranges.json") == behind["digest"]
    assert 6 == behind["samples"]
    assert {"calibrated: minmax"} == set(behind["origins"])


@pytest.mark.parametrize("name", NAMES)
def test_a_step_that_fails_says_so(name, recipe, make, tmp_path):
    """With its message, hint and log; nothing is raised by the executor."""
    edit(recipe, "kind: fold_constants", "kind: set_dimension, tensor: gone, axis: 0, size: 1")

    with pytest.raises(StepFailed, match="gone") as caught:
        apply(recipe, make(name), tmp_path)

    assert (3, "fix_graph", True) == (caught.value.code, caught.value.step, bool(caught.value.hint))


@pytest.mark.parametrize("name", NAMES)
def test_it_knows_what_is_installed_where_it_runs_steps(name, make):
    """Facts are asked of it, and of nobody else."""
    place = make(name).place(Needs())

    assert "" == place.hindrance
    assert "numpy" in place.facts


@pytest.mark.parametrize("name", NAMES)
def test_without_a_gpu_there_is_no_place_for_a_step_that_needs_one(name, make, monkeypatch):
    """And the reason is told."""
    monkeypatch.setattr("trtbuild.machine.facts.list_gpus", lambda: ())
    from trtbuild.backends.tensorrt11 import Tensorrt11

    assert "" != make(name).place(Tensorrt11(kind="tensorrt11").needs()).hindrance
