"""The command line's boundary: every end has its exit code and its words."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from trtbuild import __version__, api
from trtbuild.core.errors import CorruptObject, MissingFile, StepFailed


@pytest.fixture
def ending(monkeypatch, trtbuild):
    """Have a command end with an exception."""

    def typed(error):
        def fail():
            raise error

        monkeypatch.setattr(api, "schema", fail)
        return trtbuild("schema")

    return typed


def test_the_version_is_told(trtbuild):
    """And nothing else."""
    answer = trtbuild("--version")

    assert (0, f"trtbuild {__version__}\n", "") == (answer.code, answer.out, answer.err)


@pytest.mark.parametrize(
    ("says", "arguments"),
    [
        ("No such command", ["nonsense"]),
        ("No such option", ["schema", "--nonsense"]),
        ("Missing argument", ["plan"]),
        ("is not one of", ["validate", "r.yaml", "--format", "xml"]),
    ],
)
def test_what_is_typed_wrong_is_exit_code_2(trtbuild, says, arguments):
    """With how it is typed; no traceback."""
    answer = trtbuild(*arguments)

    assert (2, "") == (answer.code, answer.out)
    assert says in answer.err
    assert "error: " in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (4, MissingFile("m: no such file", hint="look there")),
        (5, CorruptObject("it is damaged", hint="look there")),
        (3, StepFailed("no", step="calibrate", log="log.txt", hint="look there")),
        (4, StepFailed("no", step="calibrate", hint="look there", code=4)),
    ],
)
def test_an_expected_error_is_a_sentence_and_a_hint(ending, code, error):
    """On standard error, with its exit code."""
    answer = ending(error)

    assert (code, "") == (answer.code, answer.out)
    assert answer.err.startswith("error: ")
    assert answer.err.endswith("hint: look there\n")


def test_what_the_system_refuses_names_the_file(ending):
    """A disk that is full is no bug."""
    answer = ending(OSError(errno.ENOSPC, "No space left on device", "/d/f"))

    assert (4, "error: /d/f: No space left on device\n") == (answer.code, answer.err)


@pytest.mark.parametrize("error", [KeyError("w"), AssertionError("no"), RecursionError("deep")])
def test_anything_else_is_a_bug_and_says_how_to_report_it(ending, error):
    """With the traceback, the versions, and exit code 70."""
    answer = ending(error)

    assert 70 == answer.code
    assert "Traceback" in answer.err
    assert f"This is a bug in trtbuild {__version__} (Python {sys.version.split()[0]}" in answer.err


def test_the_interrupt_key_is_exit_code_130(ending):
    """The store is whole, and that is said."""
    answer = ending(KeyboardInterrupt())

    assert 130 == answer.code
    assert "interrupted; the store is intact" in answer.err


def test_a_reader_that_left_is_no_error_of_ours(monkeypatch, tmp_path):
    """`trtbuild schema | head`: nothing is said, and what is written after goes nowhere."""
    from trtbuild.cli.app import run

    def left():
        raise BrokenPipeError

    monkeypatch.setattr(api, "schema", left)
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert 1 == run(["schema"])
        os.write(out.fileno(), b"more")
    assert "" == (tmp_path / "out").read_text()


def test_every_verb_has_help(trtbuild):
    """Its first line says what it does."""
    words = [line.split() for line in trtbuild("--help").out.splitlines()]
    verbs = {"validate", "plan", "apply", "diff", "why", "lock", "ranges", "store", "doctor"}

    assert verbs <= {word[0] for word in words if len(word) > 1}
    for verb in sorted(verbs):
        assert 0 == trtbuild(verb, "--help").code
