"""The hub's cache is looked into without the hub, and filled by its own client; no test asks it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from tests.helpers.hf_folders import BERT, write_folder
from trtbuild.core.errors import MissingDependency, MissingFile
from trtbuild.sources.huggingface_hub import fetch_snapshot, find_snapshot

COMMIT = "0" * 40


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub's."""
    for name in ("HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def asked(cache, monkeypatch):
    """What the client was asked for; it writes a model, or raises `error`."""

    def download(name, *, allow_patterns, revision, cache_dir):
        given.calls.append((name, revision, allow_patterns))
        if given.error is not None:
            raise given.error
        folder = cache / "models--acme--net" / "snapshots" / revision
        pickled = "pytorch_model*.bin" in allow_patterns
        files = ("pytorch_model.bin",) if pickled else given.files
        return str(write_folder(folder, BERT, *files))

    given = SimpleNamespace(calls=[], error=None, files=("model.safetensors",))
    client = SimpleNamespace(snapshot_download=download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", client)
    return given


def test_a_model_in_the_cache_is_found_by_commit_and_by_name(cache):
    """As its client keeps it."""
    folder = cache / "models--acme--net"
    snapshot = write_folder(folder / "snapshots" / COMMIT, BERT)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)

    assert snapshot == find_snapshot("acme/net", COMMIT)
    assert snapshot == find_snapshot("acme/net", "main")


@pytest.mark.parametrize(
    ("variable", "below"), [("HF_HOME", "hub"), ("XDG_CACHE_HOME", "huggingface/hub")]
)
def test_the_cache_is_where_its_client_has_it(cache, monkeypatch, variable, below):
    """Told by any of its variables."""
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv(variable, str(cache))
    snapshot = write_folder(cache / below / "models--net" / "snapshots" / COMMIT, BERT)

    assert snapshot == find_snapshot("net", COMMIT)


def test_what_is_not_in_the_cache_says_the_ways(cache):
    """`apply`, or a folder."""
    with pytest.raises(MissingFile, match=r"acme/net@main: is not in the hub's cache") as caught:
        find_snapshot("acme/net", "main")
    assert "`path: FOLDER` in place of `id`" in caught.value.hint


def test_it_is_fetched_once(asked):
    """Weights as safetensors; no code that is not run."""
    for _ in range(2):
        fetch_snapshot("acme/net", COMMIT, code=False)

    assert [("acme/net", COMMIT, ["*.json", "*.safetensors"])] == asked.calls


def test_pickled_weights_are_fetched_where_there_are_no_others(asked):
    """And code where it is run."""
    asked.files = ("README.md",)
    fetch_snapshot("acme/net", COMMIT, code=True)

    wanted = ["*.json", "*.safetensors", "*.py"]
    assert [wanted, [*wanted, "pytorch_model*.bin"]] == [each for _, _, each in asked.calls]


def test_without_a_network_there_is_one_error(asked):
    """It names the model, and says that a folder works."""
    asked.error = OSError("cannot connect\nlong story")
    with pytest.raises(MissingFile, match=r"acme/net@0+: cannot be fetched from the hub") as caught:
        fetch_snapshot("acme/net", COMMIT, code=False)
    assert "path: FOLDER" in caught.value.hint
    assert f"hf download acme/net --revision {COMMIT}" in caught.value.hint


def test_without_the_client_it_says_what_installs_it(cache, monkeypatch):
    """Or that a folder works."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependency, match="which is not installed") as caught:
        fetch_snapshot("acme/net", COMMIT, code=False)
    assert "pip install 'trtbuild[huggingface]'" in caught.value.hint
