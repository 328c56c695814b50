"""What is written to the terminal shows, and does nothing else."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from trtbuild.cli.echo import echo, escape_controls

CELL = "a\x1b]0;owned\x07\nb\x9b31m\u202e"
"""Renames the window, begins a line, colours, turns the text around."""


@pytest.mark.parametrize(
    "obeyed", ["\x1b[31m", "\x00", "\r", "\x08", "\x7f", "\x9b", "\u202e", "\u2028"]
)
def test_what_a_terminal_would_obey_is_written_out(obeyed):
    """As JSON has it."""
    assert f"\\u{ord(obeyed[0]):04x}{obeyed[1:]}" == escape_controls(obeyed)


@pytest.mark.parametrize("shown", ["a\tb\n", "×→…·", "日本", "🤖", "ä"])
def test_all_else_stays_as_it_is(shown):
    """Letters of any script, line ends and tabs."""
    assert shown == escape_controls(shown)


def test_json_stays_json():
    """Only within texts can such characters stand, and there it is an escape of JSON's own."""
    text = json.dumps({"name": CELL}, ensure_ascii=False)

    assert {"name": CELL} == json.loads(escape_controls(text))


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
    assert escape_controls(answer.out) == answer.out
    assert not any(line.strip().startswith("b") for line in answer.out.splitlines())


def test_no_verb_writes_past_the_gate():
    """Every line goes through `echo`, whoever adds a verb."""
    import trtbuild.cli

    folder = Path(trtbuild.cli.__file__).parent
    past = [
        path.name
        for path in sorted(folder.glob("*.py"))
        if path.name not in {"echo.py", "ranges.py"} and "typer.echo(" in path.read_text()
    ]

    assert [] == past
