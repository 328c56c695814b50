"""A project that was applied, and copies of it that have just been planned."""

from __future__ import annotations

import shutil

import pytest

from tests.helpers.mutable import mutable_project
from tests.helpers.typed import typed
from trtbuild import api
from trtbuild.core import digest
from trtbuild.store import stamp


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A project that was applied once, in a store of its own."""
    project = mutable_project(tmp_path_factory.mktemp("built") / "project")
    store = project.folder.parent / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTBUILD_STORE", str(store))
        build = project.folder.parent / "build"
        api.apply(project.recipe, build_dir=build, executor="inline")
    return project, store


@pytest.fixture
def at_once(monkeypatch):
    """What has just been written is relied on too: a test need not wait for two seconds."""
    monkeypatch.setattr(stamp, "SETTLED_SECONDS", -3600)
    monkeypatch.setattr(digest, "SETTLED_SECONDS", -3600)


@pytest.fixture
def unplanned(built, tmp_path, monkeypatch, at_once):
    """A copy of the project, in another folder, with a copy of the store, in another place."""
    project, store = built
    shutil.copytree(store, tmp_path / "another store")
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "another store"))
    return project.copied(tmp_path / "another name")


@pytest.fixture
def copy(unplanned):
    """A copy that has been planned where it is.

    The next plan will be answered from a stamp unless it sees that something has changed.
    """
    api.plan(unplanned.recipe)  # remembers digests of files, and so does something
    assert not typed("plan", "--format", "json", unplanned.recipe).stamped
    assert typed("plan", "--format", "json", unplanned.recipe).stamped
    return unplanned
