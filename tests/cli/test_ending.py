"""How a command ends whose reader leaves, or that is interrupted."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def ended(words, *, out, err):
    """Type a command whose output, its errors, or both have no reader; return how it ends."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
        return subprocess.run(
            [sys.executable, "-m", "trtbuild", *words],
            stdin=subprocess.DEVNULL,
            stdout=nobody if out else subprocess.PIPE,
            stderr=nobody if err else subprocess.PIPE,
            check=False,
        )


@pytest.mark.parametrize("words", [["schema"], ["--help"], ["apply", "-h"], ["kinds", "mse"]])
def test_a_reader_who_leaves_is_no_answer(words):
    """Exit code 1 means no: `trtbuild diff a b | head -1` must not say so; a shell says 141."""
    found = ended(words, out=True, err=False)

    assert (141, b"") == (found.returncode, found.stderr)


@pytest.mark.parametrize("words", [["validate", "nothing.yaml"], ["nothing"], ["schema"]])
def test_so_is_one_of_both_streams(words):
    """`2>&1 | head -1`: what is wrong cannot be told either."""
    assert 141 == ended(words, out=True, err=True).returncode


def test_nobody_reads_what_is_not_written():
    """A command that says all that it has to say by the other stream is answered as ever."""
    assert 2 == ended(["nothing"], out=True, err=False).returncode
    assert 0 == ended(["schema"], out=False, err=True).returncode


def test_a_pipe_within_is_a_bug_and_no_reader(trtbuild, monkeypatch):
    """A worker's pipe that breaks is told in full."""
    monkeypatch.setattr("trtbuild.api.sections", lambda: (_ for _ in ()).throw(BrokenPipeError))

    answer = trtbuild("kinds")

    assert (70, True) == (answer.code, "BrokenPipeError" in answer.err)


PRESSED = """
import sys

class Pressed:
    def find_spec(self, name, *_):
        if name == {where!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Pressed())
from trtbuild.cli.start import main
main([{verb!r}, "nothing.yaml"])
"""


@pytest.mark.parametrize(
    ("where", "verb"),
    [
        ("trtbuild.cli.bare", "plan"),
        ("trtbuild.store.stamp", "plan"),
        ("trtbuild.cli.app", "validate"),
        ("typer", "validate"),
        ("yaml", "plan"),
    ],
)
def test_an_interrupt_while_modules_are_loaded_is_one(where, verb):
    """No traceback, whatever is being imported."""
    command = [sys.executable, "-c", PRESSED.format(where=where, verb=verb)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)

    told = "interrupted; the store is intact, and the next apply goes on\n"
    assert (130, "", told) == (found.returncode, found.stdout, found.stderr)
