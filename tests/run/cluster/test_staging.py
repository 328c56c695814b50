"""Files that are carried to a node and back, in pieces; and the folder there that they lie in."""

from __future__ import annotations

import os

import pytest

from trtbuild.run.cluster import staging
from trtbuild.run.cluster.staging import make_stage, pack, unpack


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder for what is temporary."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_large_file_goes_in_pieces(tmp_path, monkeypatch):
    """Each is held in memory; together they are the file."""
    monkeypatch.setattr(staging, "CHUNK_BYTES", 4)
    (tmp_path / "it").write_bytes(b"0123456789")
    chunks = pack(tmp_path / "it", bytes)
    unpack(chunks, tmp_path / "there/it", bytes)

    assert [b"0123", b"4567", b"89"] == chunks
    assert b"0123456789" == (tmp_path / "there/it").read_bytes()


def test_what_a_lost_slot_left_is_removed(scratch):
    """By the next one on its node; what one that lives has stays."""
    left = scratch / "trtbuild-slot-lost"
    left.mkdir()
    (left / "model.onnx").write_bytes(b"large")
    living, lock = make_stage()
    other, more = make_stage()

    assert {living, other} == set(scratch.glob("trtbuild-slot-*"))
    os.close(lock)
    last, end = make_stage()
    assert {last, other} == set(scratch.glob("trtbuild-slot-*"))
    os.close(more)
    os.close(end)
