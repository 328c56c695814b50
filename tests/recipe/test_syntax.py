"""Errors of the parser are told in words that lead to the fix."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtbuild.recipe.source import parse_recipe_text


@pytest.mark.parametrize(
    ("line", "column", "words", "text"),
    [
        (2, 1, "tab", "a:\n\tb: 1\n"),
        (1, 5, "`:`", "a: b: c\n"),
        (2, 1, "without its `:`", "a: 1\nb\nc: 1\n"),
        (1, 4, "list item", "a: - b\n"),
        (2, 1, "list item among", "a: 1\n- b\n"),
        (1, 8, "after the end", "a: 'b' c\n"),
        (1, 4, "`[`", "a: [1, 2\nb: 1\n"),
        (1, 4, "`{`", "a: {b: 1\nc: 1\n"),
        (1, 4, "never closed", 'a: "b\n'),
        (1, 6, "`\\d`", 'a: "\\d"\n'),
        (1, 6, "`\\'`", 'a: "\\\'"\n'),
        (1, 7, "not complete", 'a: "\\x1"\n'),
        (1, 4, "alias", "a: */b\n"),
        (1, 4, "anchor", "a: &/b c\n"),
        (1, 7, "missing", "a: [b,,c]\n"),
        (1, 4, "character `", "a: `b`\n"),
        (1, 5, "end its line", "a: |b\n"),
        (2, 1, "belong", " a: 1\nb: 1\n"),
    ],
)
def test_a_slip_is_told_where_it_is(line, column, words, text):
    """The message names the slip, the mark its place, the hint a way out."""
    (problem,) = parse_recipe_text("slip.yaml", text.encode()).problems

    assert (line, column) == (problem.mark.line, problem.mark.column)
    assert words in problem.message
    assert problem.hint


@settings(deadline=None)
@given(st.text("ab:-[]{}\"'|>&*!%@`#?, \n\t\\<=1.~", max_size=60))
def test_no_slip_is_told_in_the_words_of_the_parser(text):
    """Of all that can be typed with YAML's own signs, nothing falls through the rules."""
    for problem in parse_recipe_text("slip.yaml", text.encode()).problems:
        assert "this is not YAML" not in problem.message
