"""The pieces of a page."""

from __future__ import annotations

import pytest

from trtbuild.report.blocks import (
    NOTHING,
    Code,
    Paragraph,
    Pre,
    TableBlock,
    drop_empty_columns,
    parse_prose,
    quote_message,
)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (("a ", Code("b"), " c"), "a `b` c"),
        ((Code("b"),), "`b`"),
        (("5 ` 3",), "5 ` 3"),
        (("two lines",), "two\nlines"),
        ((), ""),
    ],
)
def test_backticks_in_a_sentence_are_code(expected, text):
    """Messages are written for a terminal; their names become code on a page."""
    assert expected == parse_prose(text)


def test_a_message_of_several_lines_keeps_them():
    """A quoted log is not run together."""
    assert Pre("a\n  b") == quote_message("a\n  b\n")
    assert Paragraph(("a",)) == quote_message("a\n")


def test_what_does_not_print_is_written_out():
    """A name cannot hide or turn what follows it."""
    assert ("a\\u001b[1m\\u202eb",) == parse_prose("a\x1b[1m\u202eb")


def test_an_empty_column_is_left_out():
    """A column of dashes says nothing; the first stays, and numbers stay on the right."""
    rows = (((), NOTHING, ("1",)), ((), ("",), ("2",)))

    assert TableBlock(
        "t", ("a", "c"), (((), ("1",)), ((), ("2",))), numbers=(1,)
    ) == drop_empty_columns(TableBlock("t", ("a", "b", "c"), rows, numbers=(2,)))
