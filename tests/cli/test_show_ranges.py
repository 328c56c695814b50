"""How tables of ranges and their differences look."""

from __future__ import annotations

import json

import pytest

from tests.helpers.quant import ranges_of
from trtbuild.cli.show_ranges import write_diff, write_table
from trtbuild.core.values import Range, Ranges
from trtbuild.plan.range_diff import compare_ranges
from trtbuild.verbs.found_ranges import FoundRanges

TABLE = {
    "a": Range(
        low=-1.0,
        high=0.5,
        origin="calibrated",
        calibrator="percentile",
        calibrator_options={"percentile": 99.9},
        clipped=0.001,
    ),
    "b|": Range(low=-4.0, high=4.0, origin="manual", entry="b*"),
    "c": Range(low=0.0, high=2.0, origin="tied", tied_with=("d", "e", "f", "g")),
    "z": Range(low=0.0, high=0.0, origin="imported"),
}


def found(tensors=None, *, lacking=None, digest="sha256:aa"):
    ranges = Ranges(tensors=TABLE if tensors is None else tensors, samples=64)
    return FoundRanges("r.yaml", "as it was built", ranges, lacking or {}, digest)


def rows(capsys, *arguments):
    write_table(*arguments)
    return capsys.readouterr().out.splitlines()


def test_a_table_says_where_each_range_is_from(capsys):
    """Calibrator and options, pattern, company; and that of some nothing is known."""
    lines = rows(capsys, found(), "name", "text")

    assert "r.yaml: as it was built, from 64 samples" == lines[0]
    assert "digest of the table: sha256:aa" == lines[1]
    assert lines[3].endswith("0.10 %   calibrated percentile (percentile: 99.9)")
    assert lines[4].endswith("manual by `b*`")
    assert "tied with `d`, `e`, `f`" in lines[5]
    assert lines[6].endswith("imported: nothing is known of it")
    assert "4 tensors: 1 calibrated, 1 imported, 1 manual, 1 tied" == lines[7]


@pytest.mark.parametrize(("first", "sort"), [("a", "name"), ("b|", "limit"), ("a", "clipped")])
def test_what_is_asked_for_stands_first(capsys, first, sort):
    """The first name, the largest limit, the most that is clipped."""
    assert first == rows(capsys, found(), sort, "text")[3].split()[0]


def test_json_has_limit_and_scale_beside_what_is_kept(capsys):
    """In the order asked for."""
    write_table(found(digest=""), "limit", "json")
    told = json.loads(capsys.readouterr().out)

    assert ["b|", "c", "a", "z"] == list(told["tensors"])
    assert (4.0, 4 / 127) == (told["tensors"]["b|"]["limit"], told["tensors"]["b|"]["scale"])
    assert (64, None) == (told["samples"], told["digest"])


def test_a_pipe_in_a_name_ends_no_cell(capsys):
    """In Markdown."""
    lines = rows(capsys, found(), "name", "markdown")

    (row,) = [line for line in lines if "b\\|" in line]
    assert row.startswith("| `b\\|` | -4 | 4 | 4 |")


def test_what_lacks_a_range_is_named_with_its_readers(capsys):
    """And no table is said to be none."""
    lines = rows(capsys, found({}, lacking={"x": ("one", "two", "three", "four")}), "name", "text")

    assert "no ranges" in lines
    assert lines[-1].startswith("no range: `x`, read by `one`, `two`, `three`")


@pytest.mark.parametrize(
    ("summary", "after"),
    [
        ("2 of 2 limits are equal", {"x": 1.0, "y": 2.0}),
        ("1 of 2 limits are equal, 1 moved (most `y`: 1.00 bits lost)", {"x": 1.0, "y": 4.0}),
        ("1 of 2 limits are equal, 1 moved (most `y`: 1.00 bits gained)", {"x": 1.0, "y": 1.0}),
        ("1 of 3 limits are equal, 1 only before, 1 only after", {"x": 1.0, "z": 2.0}),
    ],
)
def test_a_difference_begins_with_its_sum(capsys, summary, after):
    """Then a line for each tensor that moved."""
    before = ranges_of(x=1.0, y=2.0)
    found = compare_ranges(before, ranges_of(**after))

    write_diff(found, "a", "b", "text")

    lines = capsys.readouterr().out.splitlines()
    assert f"a → b: {summary}" == lines[0]
    assert len(found.moved) == max(0, len(lines) - 2)


def test_a_difference_within_the_tolerance_says_so(capsys):
    """It is no difference then."""
    found = compare_ranges(ranges_of(x=1.0), ranges_of(x=1.01), tolerance=0.02)

    write_diff(found, "a", "b", "text")

    assert "a → b: 1 of 1 limits are equal within 0.02\n" == capsys.readouterr().out
