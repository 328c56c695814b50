"""Captured samples in an uncompressed npz archive; equal samples give equal bytes."""

from __future__ import annotations

import contextlib
import io
import itertools
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from trtbuild.core.errors import CorruptObject, StepInputError
from trtbuild.data.base import Sample
from trtbuild.data.labels import label_of
from trtbuild.data.npy import ArrayReader, bytes_of_array

__all__ = ["stored", "storing"]

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can hold; any fixed one would do."""
UNIX = 3


@contextlib.contextmanager
def storing(path: Path, labels: str | None = None) -> Iterator[Callable[[Sample], None]]:
    """Yield a function that appends a sample to the archive at `path`.

    Entries are `<six-digit index>/<array>.npy`, and the label as the array named `labels`. Without
    any sample it is an empty archive.
    """
    import numpy as np

    with zipfile.ZipFile(path, "w") as archive:
        index = itertools.count()

        def store(sample: Sample) -> None:
            arrays = dict(sample.arrays)
            if labels is not None and sample.label is not None:
                arrays[labels] = np.array(sample.label, np.int64)
            place = f"{next(index):06d}"
            for name in sorted(arrays):
                info = zipfile.ZipInfo(f"{place}/{name}.npy", EPOCH)
                info.create_system = UNIX
                info.external_attr = 0o644 << 16
                archive.writestr(info, bytes_of_array(arrays[name]))

        yield store


def stored(path: Path, *, labels: str | None, name_of: Callable[[int], str]) -> Iterator[Sample]:
    """Yield the samples of an archive in order, one in memory at a time.

    Raises:
        CorruptObject: the archive is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            grouped = itertools.groupby(
                archive.infolist(), lambda info: info.filename.partition("/")[0]
            )
            for index, (_, entries) in enumerate(grouped):
                arrays = {}
                for info in entries:
                    name = info.filename.partition("/")[2].removesuffix(".npy")
                    data = archive.read(info)
                    reader = ArrayReader.of(io.BytesIO(data), size=len(data), where=info.filename)
                    arrays[name] = reader.whole()
                name = name_of(index)
                label = label_of(arrays.pop(labels), name) if labels else None
                yield Sample(name, arrays, label)
    except (zipfile.BadZipFile, OSError, EOFError, StepInputError) as error:
        raise CorruptObject(
            f"{path}: stored samples are damaged: {error}", hint="run trtbuild store verify"
        ) from error
