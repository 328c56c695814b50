"""Ranges that come from a lock."""

from __future__ import annotations

from trtbuild.core.values import Range, Ranges
from trtbuild.steps.base import Context, QuietEvents
from trtbuild.steps.locked_ranges import LockedRanges


def test_the_table_is_written_as_it_is_locked(tmp_path):
    """To the last bit, and with what calibration saw."""
    table = Ranges(
        tensors={"x": Range(low=-0.1, high=1 / 3, origin="calibrated", observed=(-0.1, 0.5))},
        samples=7,
    )

    events = QuietEvents()
    LockedRanges(table=table).run(Context(inputs={}, out=tmp_path, events=events))

    assert table == Ranges.model_validate_json((tmp_path / "ranges.json").read_bytes())
    assert ["the ranges are those of an earlier build: nothing was calibrated"] == events.notes
