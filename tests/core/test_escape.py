"""A foreign text shows, and does nothing else."""

from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.core.errors import RecipeError, StepFailed, UsageError
from trtbuild.core.escape import escape_controls

CELL = "a\x1b]0;owned\x07\nb\x9b31m\u202e"
"""Renames the window, begins a line, colours, turns the text around."""
texts = st.text(max_size=30) | st.text(alphabet=":# [\n\\vso\u2028\U000e0041\ud800a", max_size=12)


@pytest.mark.parametrize(
    "obeyed", ["\x1b[31m", "\x00", "\r", "\x08", "\x7f", "\x9b", "\u202e", "\u2028", "\ud800"]
)
def test_what_a_terminal_would_obey_is_written_out(obeyed):
    """As JSON has it."""
    assert f"\\u{ord(obeyed[0]):04x}{obeyed[1:]}" == escape_controls(obeyed)


def test_what_is_not_seen_is_written_out():
    """Tags spell text that no screen shows."""
    assert "a\\udb40\\udc42" == escape_controls("a\U000e0042")


@pytest.mark.parametrize("text", ["a\tb", "×→…·", "日本", "🤖", "ä", "a::b", "x:0", "# [a]", "##"])
def test_all_else_stays_as_it_is(text):
    """Letters of any script, and tabs."""
    assert text == escape_controls(text)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("::error::x", "\\u003a:error::x"),
        (" \u3000::error::x", " \u3000\\u003a:error::x"),
        ("a\n::error::x", "a\\n::error::x"),
        ("a ##[error]x", "a #\\u0023[error]x"),
        ("##vso[task.setvariable]x", "#\\u0023vso[task.setvariable]x"),
        ("##TeamCity[x]", "#\\u0023TeamCity[x]"),
    ],
)
def test_a_command_to_the_service_that_builds_is_none(command, told):
    """GitHub's begin a line, spaces aside; Azure's stand anywhere."""
    assert told == escape_controls(command)


@given(texts)
def test_it_is_one_line_and_once_is_enough(text):
    """Whatever the text."""
    line = escape_controls(text)

    assert "\n" not in line
    assert line == escape_controls(line)
    assert not line.lstrip().startswith("::")
    assert "##[" not in line


@given(texts)
def test_json_and_python_stay_what_they_are(text):
    """Only within texts can such characters stand, and there it is an escape of theirs."""
    data = json.dumps({text: [text]}, ensure_ascii=False, indent=1)

    assert {text: [text]} == json.loads("\n".join(map(escape_controls, data.split("\n"))))
    assert text == ast.literal_eval(escape_controls(ascii(text)))


def test_the_message_of_an_error_has_the_lines_that_it_was_given():
    """A name adds none; neither to the hint."""
    error = UsageError("a\nb", hint="c\nd", lines=["  e\nf"])

    assert ("a\\nb\n  e\\nf", "c\\nd") == (error.message, error.hint)
    assert error.message == str(error) == StepFailed(error.message, step="it").message


def test_problems_keep_their_lines():
    """A recipe's problem has three or four."""
    problem = type("Problem", (), {"render": lambda _: "r.yaml:1:1: error: a\n  1 | a\nhint: b"})()

    assert 7 == len(RecipeError([problem, problem]).message.split("\n"))
