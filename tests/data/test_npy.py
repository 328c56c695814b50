"""The npy format, read from the bytes that NumPy writes."""

from __future__ import annotations

import io

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.data import npy
from trtbuild.data.npy import ArrayReader

ROWS = np.arange(24, dtype=np.int32).reshape(4, 2, 3)


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def reader_of(data, size=None):
    return ArrayReader.of(io.BytesIO(data), size=len(data) if size is None else size, where="a.npy")


def test_samples_may_be_passed_over():
    """Samples 1 and 3 of 4, without reading what lies between into memory."""
    reader = reader_of(saved(ROWS))

    assert [[6, 7, 8], [9, 10, 11]] == reader.read(1).tolist()
    assert [[18, 19, 20], [21, 22, 23]] == reader.read(3).tolist()


@pytest.mark.parametrize("array", [ROWS, np.asfortranarray(ROWS), ROWS.astype(">i4")])
def test_the_whole_is_what_was_saved(array):
    """In any order of memory and of bytes, as the machine has them."""
    found = reader_of(saved(array)).whole()

    assert ROWS.tolist() == found.tolist()
    assert found.dtype.isnative
    assert found.flags.c_contiguous


def test_a_file_that_ends_early_is_found_where_it_ends():
    """A header may be right and a member of an archive short all the same."""
    data = saved(ROWS)
    reader = reader_of(data[:-4], size=len(data))

    reader.read(2)
    with pytest.raises(StepInputError, match=r"a\.npy: ends before its last sample"):
        reader.read(3)


def test_what_the_header_declares_is_held_against_the_size():
    """128 bytes of header and 96 of values are not 223."""
    with pytest.raises(StepInputError, match=r"takes 224 bytes, and is 223 bytes long"):
        reader_of(saved(ROWS)[:-1])


def test_what_would_fill_the_memory_is_refused_whole(monkeypatch):
    """Each sample fits, all at once do not; nothing is read to find out."""
    monkeypatch.setattr(npy, "MOST_BYTES", 95)
    reader = reader_of(saved(ROWS))

    with pytest.raises(StepInputError, match="takes 96 bytes of memory at once"):
        reader.whole()
    assert [[0, 1, 2], [3, 4, 5]] == reader.read(0).tolist()
