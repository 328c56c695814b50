"""Rows of tables on disk."""

from __future__ import annotations

import pytest

from tests.helpers import media
from trtbuild.core.errors import StepInputError
from trtbuild.data.rows import count_rows, read_rows


def stream(path, **columns):
    return media.saved_dataset(path.parent / "saved", **columns) / "data-00001-of-00002.arrow"


def arrow(path, **columns):
    media.need("pyarrow", "datasets")
    import pyarrow as pa

    table = pa.table(columns)
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return path


@pytest.mark.parametrize("make", [media.parquet, arrow, stream])
def test_rows_are_read_by_number(make, tmp_path):
    """Out of several batches; only the columns that are asked for."""
    path = make(tmp_path / "a.table", x=[0, 1, 2, 3, 4, 5, 6, 7], y=["a"] * 8)
    total, first = (7, 1) if make is stream else (8, 0)

    assert total == count_rows(path)
    wanted = [(n, {"x": n + first}) for n in (0, 3, 6)]
    assert wanted == list(read_rows(path, ["x"], [0, 3, 6]))
    assert [] == list(read_rows(path, ["x"], []))


@pytest.mark.parametrize("make", [media.parquet, arrow, stream])
def test_a_column_that_is_not_there_is_named(make, tmp_path):
    """With those that are."""
    path = make(tmp_path / "a.table", x=[0, 1], y=["a"] * 2)

    with pytest.raises(StepInputError, match="has no column `z`") as caught:
        list(read_rows(path, ["x", "z"], [0]))
    assert "its columns: x, y" == caught.value.hint
