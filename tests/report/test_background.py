from __future__ import annotations

from tests.helpers.records import RECORDS
from trtbuild.core.values import Range
from trtbuild.report.markdown import render_markdown


def test_a_range_that_was_tied_names_its_group():
    """The first of it, and how many more."""
    record = RECORDS["good"]()
    tied = Range(low=-1.0, high=2.0, origin="tied", tied_with=("a", "b", "c"))

    page = render_markdown(record.model_copy(update={"ranges": {"x": tied}}))

    assert "| `x` | -1 | 2 | 0.015748 | tied, one scale with `a` and 2 more |" in page
