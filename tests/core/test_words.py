"""Numbers are never rounded across a border."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.core import words


@pytest.mark.parametrize(
    ("expected", "value", "unit"),
    [
        ("23.41 dB", 23.4127, "dB"),
        ("-3.00 dB", -3.0, "dB"),
        ("97.43 %", 0.97434, "share"),
        ("100.00 %", 1.0, "share"),
        ("99.999 %", 0.99999, "share"),
        ("0.00 %", 0.0, "share"),
        ("0.001 %", 0.00001, "share"),
        ("0.99981", 0.999812, ""),
        ("0.9999999", 0.9999999, ""),
        ("1", 1.0, ""),
        ("0.00012346", 0.000123456, ""),
    ],
)
def test_a_figure_is_short_but_never_made_perfect(expected, value, unit):
    """All but perfect is not shown as perfect: digits are added until it differs from 0 and 1."""
    assert expected == words.format_figure(value, unit)


def test_a_figure_stays_on_its_side_of_a_gate():
    """A value just below a bound is not rounded onto it."""
    assert "19.999 dB" == words.format_figure(19.999, "dB", apart=[20.0])
    assert "20.00 dB" == words.format_figure(20.0, "dB", apart=[20.0])


@pytest.mark.parametrize(
    ("expected", "share"),
    [
        ("drop 0.14 points", 0.00139),
        ("gain 0.14 points", -0.00139),
        ("no drop", 0.0),
        ("drop 1.00 points", 0.98 - 0.97),
        ("drop 1.001 points", 0.01001),
    ],
)
def test_a_drop_is_told_in_points(expected, share):
    """A drop of a share is points of percent, and a negative one a gain."""
    assert expected == words.format_drop(share, apart=[0.01])


@pytest.mark.parametrize(
    ("expected", "value", "unit"),
    [("20", 20.0, "dB"), ("97 %", 0.97, "share"), ("0.9999999", 0.9999999, "")],
)
def test_a_bound_is_written_as_it_was_chosen(expected, value, unit):
    """No digits are added to a bound and none are lost."""
    assert expected == words.format_bound(value, unit)


@pytest.mark.parametrize(
    ("expected", "size"),
    [("0 B", 0), ("1023 B", 1023), ("1.0 KiB", 1024), ("24.5 MiB", 25_690_112)],
)
def test_sizes_have_binary_units(expected, size):
    """Sizes use the units that recipes use."""
    assert expected == words.format_size(size)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_shown_share_passes_a_gate_exactly_if_the_share_does(value, bound):
    """Reading the words gives the same verdict as the number, to ten decimals of a percent."""
    shown = float(words.format_figure(value, "share", apart=[bound]).removesuffix(" %"))
    value, bound = (round(each * 100, 10) for each in (value, bound))

    assert (value >= bound) == (shown >= bound)


def test_a_digest_is_known_by_eight_digits():
    """What is no digest stays as it is."""
    assert "1f3a9c20" == words.abbreviate("sha256:1f3a9c20" + "0" * 56)
    assert "nothing" == words.abbreviate("nothing")


def test_a_long_list_ends_in_a_count():
    """And a short one names everything."""
    assert "a, b and 2 more" == words.join_few(["a", "b", "c", "d"], 2)
    assert "a, b" == words.join_few(["a", "b"], 2)


def test_what_was_raised_first_is_told_in_one_line():
    """Without a terminal's colours; a line that ends in a colon says nothing without the next."""
    first = ValueError("\x1b[1mThese differ:\x1b[0m\n  a is not b\nmore")
    second = RuntimeError("outer")
    second.__cause__ = first

    assert "ValueError: These differ: a is not b" == words.describe_cause(second)
    assert "KeyError" == words.describe_cause(KeyError())


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (
            "Empty scale",
            "\x1b[1;31m[ONNXRuntimeError] : 1 : FAIL : /a/b.cc:69 Empty scale\x1b[m\n",
        ),
        (
            "Node (a) Op (Add) Incompatible dimensions",
            "Node (a) Op (Add) [ShapeInferenceError] Incompatible dimensions",
        ),
        ("No Op registered for Foo", "No Op registered for Foo\n\n==> Context: Bad node spec"),
        ("The size, 3, must match the size", "The size,\n 3,\nmust match the size.\nTraceback"),
        ("It begins", "It begins\nand ends"),
        (
            "What was wrapped at a width of forty columns goes on here",
            "What was wrapped at a width of forty columns\ngoes on here.\nAnd ends",
        ),
        ("An escape written out", "\\u001b[31mAn escape\\u001b[0m written out"),
        ("A window's title", "\x1b]0;title\x07A window's title"),
        ("", "\n \x1b[0m\n"),
    ],
)
def test_another_tool_is_quoted_in_whole_sentences(expected, said):
    """On one line, without its colours, and without where in its own source it was."""
    assert expected == words.quote_whole(said)


def test_a_long_quotation_ends_with_a_sentence_or_says_that_it_does_not():
    """Never within a word."""
    sentence = "This sentence is a little longer than others are. "

    assert (sentence * 5).strip().rstrip(".") == words.quote_whole(sentence * 50)[: 5 * 50 - 2]
    assert words.quote_whole(sentence * 50).endswith("others are")
    assert words.quote_whole("word " * 200).endswith("word ...")


@pytest.mark.parametrize(
    ("expected", "before", "after", "unit"),
    [
        (("91.1 %", "90.0 %"), 0.9112, 0.9, "share"),
        (("91.11 %", "91.13 %"), 0.9111, 0.9113, "share"),
        (("99.96 %", "99.96 %"), 0.99960, 0.99960, "share"),
        (("23.4 dB", "20.0 dB"), 23.41, 20.0, "dB"),
        (("0.9998", "0.9999"), 0.9998, 0.9999, ""),
    ],
)
def test_two_figures_have_as_few_digits_as_tell_them_apart(expected, before, after, unit):
    """And none is rounded to a perfect one."""
    assert expected == words.format_pair(before, after, unit)
