"""Records survive being written down."""

from __future__ import annotations

import pytest

from tests.helpers.records import RECORDS
from trtbuild.core.records import Artifact, Record


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_record_survives_a_json_round_trip(name):
    """What is read back equals what was written: measures, verdicts, targets, ranges and all."""
    record = RECORDS[name]()

    assert record == Record.model_validate_json(record.model_dump_json())


@pytest.mark.parametrize("size", [-1, 1 << 63, 10**400])
def test_no_file_is_smaller_than_nothing_or_larger_than_a_disk(size):
    """A record that says so is none: it was damaged, or made to do harm."""
    with pytest.raises(ValueError, match="size_bytes"):
        Artifact(name="x", digest="y", size_bytes=size)
