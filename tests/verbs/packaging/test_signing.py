"""Bundles are signed by whoever is installed; here stand-ins that write down what they are told."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import MissingDependency, MissingFile, StepInputError
from trtbuild.verbs.packaging.signing import demand_signer, sign_bundle


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder of programs: nothing else is installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    (tmp_path / "key").write_text("")

    def install(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return install


def test_a_folder_is_signed_by_its_provenance_and_an_archive_whole(tools, tmp_path):
    """The signature lies beside what was signed."""
    tools("cosign", f'echo "$@" > "{tmp_path}/told"')
    (tmp_path / "b").mkdir()
    (tmp_path / "b.zip").write_bytes(b"")

    assert tmp_path / "b/provenance.json.sig" == sign_bundle(
        tmp_path / "b", "cosign", tmp_path / "key"
    )
    assert (tmp_path / "told").read_text().endswith("provenance.json\n")
    assert tmp_path / "b.zip.sig" == sign_bundle(tmp_path / "b.zip", "cosign", tmp_path / "key")


def test_model_signing_takes_a_folder_as_it_is(tools, tmp_path):
    """It knows folders of models."""
    tools("model_signing", "exit 0")
    (tmp_path / "b").mkdir()

    signed = sign_bundle(tmp_path / "b", "model-signing", tmp_path / "key")
    assert tmp_path / "b.sig" == signed


def test_what_is_not_there_is_told_before_anything_is_written(tools, tmp_path):
    """The program, or the key."""
    with pytest.raises(MissingDependency, match="cosign is not installed"):
        demand_signer("cosign", tmp_path / "key")
    tools("cosign", "exit 0")
    with pytest.raises(MissingFile, match="there is no such file"):
        demand_signer("cosign", tmp_path / "none")


def test_a_signer_that_refuses_is_quoted(tools, tmp_path):
    """The bundle is there, and not signed: that is said."""
    tools("cosign", "echo wrong password >&2; exit 1")
    (tmp_path / "b.zip").write_bytes(b"")

    with pytest.raises(StepInputError, match="wrong password") as caught:
        sign_bundle(tmp_path / "b.zip", "cosign", tmp_path / "key")
    assert "is written, and not signed" in caught.value.hint
