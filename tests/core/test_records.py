"""Records survive being written down."""

from __future__ import annotations

import pytest

from tests.helpers.records import RECORDS
from trtbuild.core.records import Record


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_record_survives_a_json_round_trip(name):
    """What is read back equals what was written: measures, verdicts, targets, ranges and all."""
    record = RECORDS[name]()

    assert record == Record.model_validate_json(record.model_dump_json())
