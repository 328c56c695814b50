"""The sections of a report about what came of it."""

from __future__ import annotations

import pytest

from tests.helpers.records import LAYERS, deferred, fallback, good, layer, target, words
from trtbuild.core.records import Measure
from trtbuild.report.blocks import Bar, Fold, TableBlock
from trtbuild.report.results import (
    format_value,
    make_comparison_section,
    make_layers_section,
    make_targets_section,
)


def tables(section):
    """Every table of a section, folded ones too."""
    for block in section.blocks:
        yield from block.blocks if isinstance(block, Fold) else [block]


def cells(table):
    assert isinstance(table, TableBlock)
    return [[words(cell) for cell in row] for row in table.rows]


@pytest.mark.parametrize(
    "make", [make_targets_section, make_comparison_section, make_layers_section]
)
def test_what_there_was_none_of_has_no_section(make):
    """A report of a run without targets or comparison is short, not full of dashes."""
    assert make(good(targets=(), comparison=None, asked=())) is None


@pytest.mark.parametrize(
    ("share", "told", "delivered"),
    [(1.0, "4 of 4", 4), (0.75, "3 of 4 (75.00 %)", 3), (0.0, "0 of 4 (0.00 %)", 0)],
)
def test_int8_is_told_as_a_share_where_some_is_missing(share, told, delivered):
    """All of it is good; less is a warning, however little is missing."""
    found = target().model_copy(update={"delivered_int8": delivered})
    table = make_targets_section(good(targets=(found,))).blocks[0]
    (bar,) = [span for cell in table.rows[0] for span in cell if isinstance(span, Bar)]

    assert (share, "good" if share == 1 else "warn") == (bar.share, bar.tone)
    assert told == bar.text


def test_options_and_versions_are_written_as_people_write_them():
    """Capabilities and sizes; of the tools, the builder stands beside the backend."""
    built = target().model_copy(
        update={
            "versions": {"polygraphy": "0.53.6", "tensorrt_rtx_libs": "1.7.1"},
            "options": {"compute_capabilities": "(8, 6), (12, 0)", "workspace_bytes": "1073741824"},
        }
    )

    told = str(make_targets_section(good(targets=(built,))))

    assert f"'{built.backend} 1.7.1'" in told
    assert "8.6, 12.0" in told
    assert "1.0 GiB" in told
    assert "0.53.6" in told


def test_a_target_without_an_engine_has_its_row_and_its_reason():
    """With the command that brings it."""
    section = make_targets_section(deferred())
    (bullets,) = [block for block in section.blocks if hasattr(block, "items")]
    table = section.blocks[0]

    assert ["rtx", "h200"] == [row[0] for row in cells(table)]
    told = words(bullets.items[0])
    assert "deferred" in told
    assert "TensorRT 11 is not installed" in told
    assert "--target h200" in told


@pytest.mark.parametrize(
    ("expected", "value", "more"),
    [
        ("97.36 %", 0.9736, {"unit": "share"}),
        ("29.32 dB", 29.318, {"unit": "dB"}),
        ("identical", None, {"identical": True}),
        ("–", None, {"remark": "NaN"}),
    ],
)
def test_a_value_is_in_its_unit_or_in_a_word(expected, value, more):
    """A dash is not zero."""
    assert expected == format_value(Measure(metric="m", output="y", value=value, **more))


def test_layers_that_fell_back_stand_unfolded_before_all_others():
    """Also those of which nothing is known; what was asked for in float has its reason."""
    first, *_ = [
        block for block in make_layers_section(fallback()).blocks if hasattr(block, "rows")
    ]
    last = make_layers_section(fallback()).blocks[-1]

    assert [LAYERS[1], LAYERS[2]] == [row[0] for row in cells(first)]
    assert [[LAYERS[3], "Gemm", "fp32", "skipped by the recipe"]] == cells(last)


def test_a_thousand_layers_are_shown_and_the_rest_counted():
    """The JSON beside the report has them all."""
    many = target(tuple(layer(f"n{index}") for index in range(1001)))
    (table,) = [t for t in tables(make_layers_section(good(targets=(many,)))) if hasattr(t, "rows")]

    assert 1000 == len(table.rows)
    assert table.caption.endswith("(the first 1000 of 1001)")


def test_a_comparison_has_a_row_for_each_measure_and_gate():
    """With FP32's own value where it has one, and by how much it fell."""
    gates, measures = list(tables(make_comparison_section(good())))[-2:]
    (top1,) = [row for row in cells(measures) if row[1] == "top1"]

    assert 5 == len(measures.rows)
    assert ["97.36 %", "97.50 %"] == top1[2:4]
    assert "0.14 points" == top1[4]
    assert ["passed", "passed"] == [row[1] for row in cells(gates)]
