"""A project, a store and a build directory of the test's own, and a way to type commands."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.helpers.projects import small_project


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
def trtbuild(capsys):
    """Type a command, in this process, and get its answer."""
    from trtbuild.cli.app import run

    def typed(*arguments):
        code = run([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return Answer(code, shown.out, shown.err)

    return typed
