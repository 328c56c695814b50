"""What layers cost, on a page."""

from __future__ import annotations

import pytest

from tests.helpers.records import costly, good, sensitivity, words
from trtbuild.report.blocks import Bar, Fold, TableBlock
from trtbuild.report.sensitivity import make_sensitivity_section, show_worst_layer


def rows_of(table):
    return [dict(zip(table.head, map(words, row), strict=True)) for row in table.rows]


def test_the_worst_layer_stands_first_with_a_full_bar():
    """6 dB less noise is half of it."""
    _, table, *_ = make_sensitivity_section(costly()).blocks
    first, second, *_ = table.rows
    bars = [span for row in (first, second) for cell in row for span in cell if type(span) is Bar]

    assert "/conv1/Conv Conv" == words(first[0])
    assert pytest.approx([1.0, 10 ** (-7.7 / 20)]) == [bar.share for bar in bars]


def test_a_layer_is_told_with_all_that_was_measured():
    """Alone, the others, by labels, and what it reads."""
    _, table, *_ = make_sensitivity_section(costly()).blocks

    assert {
        "Layer": "/conv1/Conv Conv",
        "Alone": "17.6 dB",
        "All but it": "17.0 dB",
        "top1 alone": "96.88 % (84.26 to 99.45 %)",
        "top1 all but it": "96.88 % (84.26 to 99.45 %)",
        "Own": "21.6 dB",
        "Clipped": "0.03 %",
        "Bits": "7.0",
    } == rows_of(table)[0]


def test_layers_that_cost_less_are_folded_away():
    """None is left out; one without noise has no bar."""
    section = make_sensitivity_section(costly())
    (rest,) = [
        block for block in section.blocks if isinstance(block, Fold) and "more" in block.summary
    ]
    (table,) = rest.blocks

    assert isinstance(table, TableBlock)
    assert ("2 more that cost less", "–") == (rest.summary, rows_of(table)[-1]["Alone"])


def test_all_layers_together_are_what_they_are_held_against():
    """In the first sentence."""
    first, *_ = make_sensitivity_section(costly()).blocks

    assert words(first.spans).endswith(
        "against the FP32 model. All in INT8: 14.6 dB, top1 95.31 % (84.26 to 99.45 %)."
    )


def test_without_a_measurement_there_is_nothing():
    """Nor where no layer is in INT8."""
    none = sensitivity().model_copy(update={"layers": ()})

    assert make_sensitivity_section(good()) is None
    assert make_sensitivity_section(good(sensitivity=none)) is None
    assert [None, None] == [show_worst_layer(each) for each in (None, none)]
