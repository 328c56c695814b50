"""Plain words mean what YAML 1.2 says, and never something else in silence."""

from __future__ import annotations

import pytest

from trtbuild.recipe.scalars import UnclearScalar, clip, resolve_scalar


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (8, "8"),
        (-8, "-8"),
        (8, "+8"),
        (0, "0"),
        (15, "0o17"),
        (255, "0xff"),
        (0.001, "1e-3"),
        (1000.0, "1e3"),
        (0.5, ".5"),
        (5.0, "5."),
        (99.99, "99.99"),
        (True, "true"),
        (False, "FALSE"),
        (None, "null"),
        (None, "~"),
        (None, ""),
    ],
)
def test_a_word_is_what_yaml_1_2_says(expected, text):
    """Numbers, true, false and null are those of the core schema, with their types."""
    found = resolve_scalar(text)

    assert (expected, type(expected)) == (found, type(found))


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "y", "N"),
        *("1_000", "1:30", "2024-01-31", "0b101", "1.2.3", "4GiB", "1%"),
        *("tRue", "nUll", "+", "-", ".", "..", "e3", "0x", "0o8", "-0x1", "nan", "inf"),
    ],
)
def test_what_yaml_1_1_took_for_something_else_is_text(text):
    """No switch, date, time, or grouped or binary number comes of an unquoted word."""
    assert text == resolve_scalar(text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("octal", "017"),
        ("octal", "-007"),
        ("octal", "08"),
        ("too large", "9" * 19),
        ("too large", "1e999"),
        ("finite", ".inf"),
        ("finite", "-.INF"),
        ("finite", ".nan"),
    ],
)
def test_a_number_that_is_none_is_refused(word, text):
    """What readers disagree on, or no machine holds, is an error with a way out."""
    with pytest.raises(UnclearScalar) as caught:
        resolve_scalar(text)

    assert word in caught.value.message
    assert caught.value.hint


def test_long_text_is_cut_in_messages():
    """A message stays a line."""
    assert 60 == len(clip("x" * 1000))
    assert "x" * 60 == clip("x" * 60)
