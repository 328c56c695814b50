"""Entries of a recipe as YAML with remarks."""

from __future__ import annotations

import pytest

from trtbuild.recipe.source import parse_recipe_text
from trtbuild.verbs.init.entries import Entry, write_comment, write_entries, write_flow


@pytest.mark.parametrize(
    "value",
    ["4GiB", "1%", "01", "1e3", "yes", "no: no", "a b", "#x", "- x", "\u2028", "ä", "", "true",
     "*", "a:b", "file.py:make", "x\ty", "'", '"', "{", "~", "null", "1.5", "-1"],
)  # fmt: skip
def test_a_text_is_read_back(value):
    """As a value, and as a key."""
    text = "\n".join(write_entries([Entry("a", value), Entry(value, [value, {value: value}])]))
    source = parse_recipe_text("t.yaml", text.encode())

    if source.problems:  # an empty key has no place in a recipe
        assert value == ""
    else:
        assert {"a": value, value: [value, {value: value}]} == source.root.plain


def test_a_remark_stands_behind_its_line_or_above():
    """Where there is no room, above."""
    short, *_ = write_entries([Entry("a", 1, "why")])
    above, below = write_entries([Entry("a", 1, "w" * 97)])

    assert "a: 1 # why" == short
    assert (f"# {'w' * 97}", "a: 1") == (above, below)


def test_a_mapping_that_is_too_long_takes_several_lines():
    """A hundred columns are what a reader sees."""
    lines = list(write_entries([Entry("a", {name * 30: 1 for name in "bcd"})]))

    assert ["a:", f"  {'b' * 30}: 1", f"  {'c' * 30}: 1", f"  {'d' * 30}: 1"] == lines


def test_a_list_with_mappings_has_a_line_for_each():
    """One of words is a line."""
    lines = list(write_entries([Entry("a", ["x", {"kind": "y"}]), Entry("b", ["x", "y"])]))

    assert ["a:", "  - x", "  - {kind: y}", "b: [x, y]"] == lines


def test_a_comment_does_nothing():
    """Whoever made a name in it."""
    assert ["# a\\u001b[31m"] == list(write_comment("a\x1b[31m"))
    assert "[1, {a: true}]" == write_flow([1, {"a": True}])


def test_a_proposal_is_a_comment_that_can_be_uncommented():
    """As deep as its neighbours, with its remark; nothing reads it as it stands."""
    inner = (Entry("a", 1), Entry("b", ["c"], "why", proposed=True))
    section = Entry("s", inner)

    assert ["s:", "  a: 1", "  # b: [c] # why"] == list(write_entries([section]))
    assert {"a": 1} == section.plain
