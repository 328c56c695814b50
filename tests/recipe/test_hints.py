"""The next move for a value of the wrong type or form."""

from __future__ import annotations

import pytest

from trtbuild.recipe.hints import describe_value, hint_for_pattern, hint_for_type
from trtbuild.recipe.schema import NAME_PATTERN
from trtbuild.recipe.source import parse_recipe_text


@pytest.mark.parametrize(
    ("expected", "written", "wanted"),
    [
        ("remove the quotes: 8", '"8"', int),
        ("write 1000", "1_000", int),
        ("write 99.9", "99.9%", float),
        ("a recipe does not calculate; write 0.5", "1/2", float),
        ("", "1/0", float),
        ("", "wide", float),
        ("write 8", "8.0", int),
        ("", "8.5", int),
        ('put it in quotes: "8"', "8", str),
        ('put it in quotes: "true"', "true", str),
        ("write true; yes, no, on and off are text in YAML 1.2", "yes", bool),
        ("write false; yes, no, on and off are text in YAML 1.2", "Off", bool),
        ('write ["fc"]', "fc", tuple[str, ...]),
        ("write [8]", "8", tuple[int, ...]),
        ("remove the brackets: 8", "[8]", int),
        ("begin each item with `- `", "{a: 1}", tuple[str, ...]),
        ("write `name: value`, without dashes or brackets", "[{a: 1}, {b: 1}]", dict[str, int]),
    ],
)
def test_a_hint_says_what_to_write(expected, written, wanted):
    """Made from what stands there and what should."""
    source = parse_recipe_text("hint.yaml", f"a: {written}\n".encode())
    value = source.root.plain["a"]

    assert expected == hint_for_type(("a",), value, wanted, source)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("write `my-model`", "my model"),
        ("write `model`", "..model"),
        ("write `a-b`", "a/b"),
        ("write a short word", "漢"),
    ],
)
def test_a_name_is_proposed(expected, text):
    """The nearest name that is one."""
    assert expected == hint_for_pattern(NAME_PATTERN, text, "name")[1]


def test_an_unknown_pattern_is_shown():
    """No words are better than wrong ones."""
    assert ("`x` does not have the form it must have", "it must match ^a$") == hint_for_pattern(
        "^a$", "b", "x"
    )


def test_digests_may_be_too_loud():
    """Capital letters are the likeliest slip."""
    pattern = "^[0-9a-f]{64}$"

    assert "small" in hint_for_pattern(pattern, "AB" * 32, "sha256")[1]
    assert "sha256sum" in hint_for_pattern(pattern, "ab", "sha256")[1]


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ('text "8"', "8"),
        ("empty text", ""),
        ("8", 8),
        ("true", True),
        ("a list", [1]),
        ("a mapping", {}),
        ("nothing", None),
    ],
)
def test_values_are_told_by_what_they_are(expected, value):
    """Text is quoted, so that "8" and 8 differ."""
    assert expected == describe_value(value)
