from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from trtbuild.core.listening import CodeListener, listening


@pytest.fixture
def hear(tmp_path):
    """Return what was heard while something was done."""

    def heard(act):
        listener = CodeListener(tmp_path / "spool")
        with listening(listener):
            act()
        return listener

    return heard


def test_tells_reading_from_writing(hear, tmp_path):
    """What is written is none of what was read."""
    (tmp_path / "in").write_text("1")

    heard = hear(lambda: (tmp_path / "out").write_text((tmp_path / "in").read_text()))

    assert {str(tmp_path / "in")} == set(heard.files)
    assert {str(tmp_path / "out")} == heard.written


def test_hears_of_a_file_that_is_not_there(hear, tmp_path):
    """Code may go on without it: that it is absent is what it rests on."""

    def act():
        with pytest.raises(OSError, match="absent"):
            (tmp_path / "absent").open()

    assert {str(tmp_path / "absent"): "absent"} == hear(act).files


def test_hears_of_folders_and_of_what_is_asked_for(hear, tmp_path):
    """A listing, and whether a path is there."""
    (tmp_path / "in").mkdir()

    heard = hear(lambda: ([*(tmp_path / "in").iterdir()], (tmp_path / "flag").exists()))

    assert {str(tmp_path / "in")} == heard.folders
    assert str(tmp_path / "flag") in heard.asked


def test_hears_of_what_a_forked_process_does(hear, tmp_path):
    """A loader with processes of its own is one program for all that."""
    (tmp_path / "in").write_text("1")

    def act():
        child = os.fork()
        if child == 0:
            (tmp_path / "in").read_text()
            os._exit(0)
        os.waitpid(child, 0)

    assert str(tmp_path / "in") in hear(act).files


def test_hears_of_another_state_of_a_file(hear, tmp_path):
    """One that is not the same each time that it is opened was changed meanwhile."""
    path = tmp_path / "in"
    path.write_text("1")
    (tmp_path / "other").write_text("22")

    def act():
        path.read_text()
        (tmp_path / "other").replace(path)
        path.read_text()

    assert {str(path)} == hear(act).changed


def test_hears_of_connections_and_programs(hear):
    """Where they lead, and what they are called; a socket of this machine's own is no network."""

    def act():
        one, other = socket.socketpair()
        one.close()
        other.close()
        with socket.socket() as connection:
            connection.settimeout(0.1)
            connection.connect_ex(("127.0.0.1", 9))
        subprocess.run([sys.executable, "-c", ""], check=True)

    heard = hear(act)

    assert {"127.0.0.1"} == heard.hosts
    assert {Path(sys.executable).name} == heard.programs


def test_leaves_everything_as_it_was(hear, tmp_path):
    """What stands in for functions of Python's goes away again."""
    stat = os.stat

    heard = hear(lambda: None)
    (tmp_path / "later").write_text("1")
    (tmp_path / "later").read_text()

    assert stat is os.stat
    assert {} == heard.files
