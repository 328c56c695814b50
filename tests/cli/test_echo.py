"""What is written to the terminal shows, and does nothing else."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest

from trtbuild.cli.echo import echo, pour

WRITES = re.compile(r"typer\.echo\(|\bprint\(|\.write\(|print_exc|\bsecho\(")
CELL = "a\x1b]0;owned\x07\nb\x9b31m\u202e"
"""Renames the window, begins a line, colours, turns the text around."""


def test_a_line_is_one_and_a_text_has_its_own(capsys):
    """What is said in one line has one, whatever stands in it."""
    echo(CELL)
    pour("a\nb\x1b")

    assert "a\\u001b]0;owned\\u0007\\nb\\u009b31m\\u202e\na\nb\\u001b\n" == capsys.readouterr().out


def test_what_the_terminal_cannot_write_is_written_out(monkeypatch):
    """A Latin-1 terminal, and a file name that is no text, are no reason to fail."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", stream)

    echo("ä → b")
    echo("bad\udcff")
    stream.flush()

    assert "ä \\u2192 b\nbad\\udcff\n" == stream.buffer.getvalue().decode("latin-1")


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_name_cannot_forge_a_row(tmp_path, trtbuild, form):
    """Neither by the end of a line, nor by moving the cursor; in no form of a table."""
    table = tmp_path / "r.json"
    table.write_text(json.dumps({CELL: 1.0, "z": 2.0}))

    answer = trtbuild("ranges", "show", table, "--format", form)

    assert 0 == answer.code, answer.err
    assert not {*"\x1b\x07\x9b\u202e"} & {*answer.out}
    assert not any(line.strip().startswith("b") for line in answer.out.splitlines())


def test_no_verb_writes_past_the_gate():
    """Every line goes through `echo`, whoever adds a verb."""
    import trtbuild.cli

    folder = Path(trtbuild.cli.__file__).parent
    # A file's bytes; what was said before, and that it was interrupted; rich's bars.
    allowed = {"echo.py": 1, "ranges.py": 1, "start.py": 3, "progress.py": 1}
    past = {
        path.name: count
        for path in sorted(folder.glob("*.py"))
        if (count := len(WRITES.findall(path.read_text())))
    }

    assert allowed == past
