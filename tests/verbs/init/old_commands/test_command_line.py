"""Command lines, split as a shell would and read flag by flag."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.old_commands.command_line import Reading, read_flags, split_command
from trtbuild.verbs.init.old_commands.words import keeps, notes, sets

FLAGS = {"--a": keeps("a"), "--b": sets("b", value=True), "--c": notes("gone", "some")}


def read(text):
    reading = Reading({}, [])
    words, _ = split_command(text, "tool")
    return list(read_flags(words, FLAGS, reading, tool="tool")), reading


def test_quotes_and_ends_of_lines_are_a_shells():
    """What stands behind a pipe, an `&&` or a `>` is another command's."""
    words, variables = split_command(
        "CUDA_VISIBLE_DEVICES=1 tool --a='x y' \\\n  --b > log.txt 2>&1 | tee log", "tool"
    )

    assert ["tool", "--a=x y", "--b"] == words
    assert ["CUDA_VISIBLE_DEVICES=1"] == variables


def test_a_value_stands_behind_an_equals_sign_or_a_space():
    """What belongs to no flag is left over; many values end before a model."""
    assert (["tool", "m.onnx"], {"a": "1", "b": True}) == (
        (found := read("tool --a 1 --b --c x y m.onnx"))[0],
        found[1].told,
    )
    assert {"a": "1"} == read("tool --a=1")[1].told
    assert [("--c x y", "gone")] == found[1].notes


def test_what_a_tool_does_not_have_is_named():
    """With its value."""
    _, reading = read("tool --zzz=3 --b")

    assert ["--zzz=3"] == [flag for flag, _ in reading.notes]


@pytest.mark.parametrize("text", ["tool --a 'x", "", "   ", "| x", "tool --a"])
def test_what_cannot_be_read_is_one_error(text):
    """Quotes that are left open, nothing, a flag without its value."""
    with pytest.raises(UsageError) as raised:
        read(text)

    assert raised.value.hint
