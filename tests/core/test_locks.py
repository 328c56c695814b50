"""Locks: shared or alone, of POSIX and of Windows, and where there are none."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.helpers.windows import byte_locks
from trtbuild.core.locks import NoLocks, take_lock, try_lock


@pytest.fixture(params=["posix", "windows"])
def system(request, monkeypatch):
    """A system with its own kind of locks."""
    if request.param == "windows":
        monkeypatch.setitem(sys.modules, "fcntl", None)
        monkeypatch.setitem(sys.modules, "msvcrt", byte_locks())
    return request.param


def test_a_lock_is_refused_at_once_while_held(system, tmp_path):
    """And free again once its descriptor is closed."""
    first = try_lock(tmp_path / "lock")

    assert try_lock(tmp_path / "lock") is None
    assert try_lock(tmp_path / "lock", shared=True) is None
    os.close(first)
    os.close(try_lock(tmp_path / "lock"))


def test_many_share_a_lock(system, tmp_path):
    """And as long as one of them has it, nobody has it alone."""
    held = [try_lock(tmp_path / "lock", shared=True) for _ in range(5)]
    assert None not in held

    for handle in held:
        assert try_lock(tmp_path / "lock") is None
        os.close(handle)

    os.close(try_lock(tmp_path / "lock"))


def test_one_waits_for_a_lock(system, tmp_path):
    """Until it is given back."""
    held, mine = try_lock(tmp_path / "lock"), os.open(tmp_path / "lock", os.O_RDWR)
    threading.Timer(0.3, os.close, [held]).start()

    assert take_lock(mine, wait=True)
    os.close(mine)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_is_told_from_one_that_holds_them(tmp_path, monkeypatch, code):
    """Waiting for the holder would be for ever; no descriptor is left."""
    before = len(list(Path("/proc/self/fd").iterdir()))

    def refuse(handle, how):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(NoLocks, match=os.strerror(code)):
        try_lock(tmp_path / "lock")

    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_an_error_of_the_disk_is_neither(tmp_path, monkeypatch):
    """It is raised as it is."""

    def fail(handle, how):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(OSError, match="Input/output") as caught:
        try_lock(tmp_path / "lock")
    assert not isinstance(caught.value, NoLocks)
