"""Rows of Arrow and Parquet files; by pyarrow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import quote_whole

__all__ = ["count_rows", "read_rows"]

BATCH = 64
"""Rows of a Parquet file in memory at once: with pictures, they may be large."""


def count_rows(path: Path) -> int:
    """Return how many rows a file holds.

    Raises:
        StepInputError: it is no such file, or damaged.
    """
    with _open(path) as (source, is_parquet):
        if is_parquet:
            return int(source.metadata.num_rows)
        return sum(batch.num_rows for batch in _batches(source, (), is_parquet=False))


def read_rows(
    path: Path, columns: Sequence[str], wanted: Sequence[int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the wanted rows (numbers that go up), each with its number, as plain values.

    Raises:
        StepInputError: the file is damaged, or lacks a column.
    """
    if not wanted:
        return
    with _open(path) as (source, is_parquet):
        schema = source.schema_arrow if is_parquet else source.schema
        missing = next((name for name in columns if name not in schema.names), None)
        if missing is not None:
            raise StepInputError(
                f"{path}: has no column `{missing}`",
                hint=f"its columns: {', '.join(map(str, schema.names))}",
            )
        places = iter(wanted)
        place, before = next(places), 0
        for batch in _batches(source, columns, is_parquet=is_parquet):
            while place < before + batch.num_rows:
                row = {name: batch.column(name)[place - before].as_py() for name in columns}
                yield place, row
                following = next(places, None)
                if following is None:
                    return
                place = following
            before += batch.num_rows


def _batches(source: Any, columns: Sequence[str], *, is_parquet: bool) -> Iterator[Any]:
    if is_parquet:
        yield from source.iter_batches(batch_size=BATCH, columns=list(columns))
    elif hasattr(source, "num_record_batches"):
        yield from (source.get_batch(index) for index in range(source.num_record_batches))
    else:
        yield from source


@contextlib.contextmanager
def _open(path: Path) -> Iterator[tuple[Any, bool]]:
    """Open a file by what it begins with: Parquet, an Arrow file, or a stream of Arrow."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        with pa.memory_map(str(path)) as file:
            magic = file.read(6)
            file.seek(0)
            if magic[:4] == b"PAR1":
                yield pyarrow.parquet.ParquetFile(file), True
            elif magic == b"ARROW1":
                yield pa.ipc.open_file(file), False
            else:
                yield pa.ipc.open_stream(file), False
    except (pa.ArrowException, OSError, ValueError) as error:
        told = quote_whole(str(error))
        raise StepInputError(
            f"{path}: is no Arrow or Parquet file, or is damaged: {told}", hint="save it again"
        ) from error
