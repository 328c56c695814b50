"""A project, a store and a build directory of the test's own, and a way to type commands."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import pytest

from tests.helpers.projects import small_project, tiny_project
from trtbuild.api.executors import EXECUTORS
from trtbuild.run.inline import Inline


@dataclass
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The current directory is the project's."""
    recipe = small_project(tmp_path / "project")
    monkeypatch.chdir(recipe.parent)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    return recipe


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The current directory is that of a project of one layer."""
    recipe = tiny_project(tmp_path / "project")
    monkeypatch.chdir(recipe.parent)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    return recipe


@pytest.fixture
def trtbuild(capsys):
    """Type a command, in this process, and get its answer."""
    from trtbuild.cli.app import run

    def typed(*arguments):
        code = run([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return Answer(code, shown.out, shown.err)

    return typed


@pytest.fixture
def steps_here(monkeypatch):
    """Run steps in this process, which saves starting one for each: for tests of other things."""
    monkeypatch.setitem(
        EXECUTORS,
        "local",
        lambda given: Inline(inference=given.device.where, batch=given.device.batch),
    )


@pytest.fixture(scope="session")
def _built_once(tmp_path_factory):
    """The small project, applied: real work, done once for all tests."""
    from trtbuild import api

    place = tmp_path_factory.mktemp("built")
    recipe = small_project(place / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTBUILD_STORE", str(place / "store"))
        patch.chdir(recipe.parent)
        api.apply(recipe, build_dir=recipe.parent / "build")
    return place


@pytest.fixture
def applied_project(_built_once, tmp_path, monkeypatch):
    """A copy of an applied project with its store; the current directory is the project's."""
    shutil.copytree(_built_once, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    return tmp_path / "project/recipe.yaml"
