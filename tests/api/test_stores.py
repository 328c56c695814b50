"""What is here goes to a remote store and comes from it, by the verbs and from Python."""

from __future__ import annotations

import json

import pytest

from tests.helpers.projects import tiny_project
from trtbuild import api
from trtbuild.cli.app import run
from trtbuild.core.errors import UsageError


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A recipe that was built by a machine alone; the remote store is named afterwards."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    recipe = tiny_project(tmp_path / "work")
    api.apply(recipe, build_dir=tmp_path / "build", executor="inline")
    with pytest.raises(UsageError, match="no remote store is named"):
        api.push_store()
    monkeypatch.setenv("TRTBUILD_STORE_REMOTE", str(tmp_path / "remote"))
    return recipe


def test_what_was_built_here_is_used_elsewhere(built, tmp_path, monkeypatch, capsys):
    """Sent by name; another store brings it, or reads through; nothing runs there."""
    assert 0 == run(["store", "push", "tiny"])
    assert "sent 4 steps of 1 recipe" in capsys.readouterr().out
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "other"))
    applied = api.apply(built, build_dir=tmp_path / "again", executor="inline")

    assert {"reused"} == {each.status for each in applied.record.outcomes}
    assert (0, ()) == ((found := api.pull_store()).objects, found.missing)
    assert 0 == run(["store", "gc", "--remote", "--days", "0", "--format", "json"])
    assert 0 == json.loads(capsys.readouterr().out)["steps"]


def test_a_remote_store_that_is_only_read_is_not_swept(built, monkeypatch):
    """Looking is free."""
    monkeypatch.setenv("TRTBUILD_STORE_REMOTE_WRITE", "0")
    with pytest.raises(UsageError, match="only read"):
        api.collect_remote()
