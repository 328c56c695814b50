"""Files appear whole or not at all."""

from __future__ import annotations

import os

import pytest

from trtbuild.core.files import copy_whole, replace_whole, try_lock, write_whole


def test_a_failed_write_leaves_what_was_there(tmp_path):
    """The interrupt key included."""
    write_whole(tmp_path / "x", b"old")

    with pytest.raises(KeyboardInterrupt), replace_whole(tmp_path / "x") as part:
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    assert b"old" == (tmp_path / "x").read_bytes()
    assert ["x"] == [path.name for path in tmp_path.iterdir()]


def test_a_copy_shares_nothing_with_its_source(tmp_path):
    """Whoever edits the copy does not reach the source."""
    (tmp_path / "a").write_bytes(b"source")
    copy_whole(tmp_path / "a", tmp_path / "b")

    (tmp_path / "b").write_bytes(b"edited")

    assert b"source" == (tmp_path / "a").read_bytes()


def test_a_lock_is_refused_at_once_while_held(tmp_path):
    """And free again once its descriptor is closed."""
    first = try_lock(tmp_path / "lock")

    assert try_lock(tmp_path / "lock") is None
    os.close(first)
    again = try_lock(tmp_path / "lock")
    os.close(again)
