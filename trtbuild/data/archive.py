"""Captured samples in an archive of arrays; equal samples give equal bytes."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from trtbuild.core.arrays import ArrayFile, write_npz
from trtbuild.core.errors import CorruptObject, StepInputError
from trtbuild.data.base import Sample
from trtbuild.data.labels import read_label

__all__ = ["LABEL", "read_names", "read_samples", "write_samples"]

LABEL = "?label"
"""The key of labels, where the source has none for them."""

_NAMES = "names"
"""What samples are called, for messages: no sample, since a slash is in the name of each of those.
"""


@contextlib.contextmanager
def write_samples(
    path: Path, labels: str | None = None, *, named: bool = False
) -> Iterator[Callable[[Sample], None]]:
    """Yield a function that appends a sample to the archive at `path`.

    An array is named `<six-digit index>/<key>`, a label likewise with the key `labels`. Without any
    sample it is an empty archive. Where they are `named`, their names stand behind them.
    """
    import numpy as np

    names: list[str] = []
    with write_npz(path) as writer:
        index = itertools.count()

        def store(sample: Sample) -> None:
            place = f"{next(index):06d}"
            names.append(sample.name)
            for key in sorted(sample.arrays):
                writer.add(f"{place}/{key}", sample.arrays[key])
            if labels is not None and sample.label is not None:
                writer.add(f"{place}/{labels}", np.array(sample.label, np.int64))
            if labels is not None and sample.truth is not None:
                writer.add(f"{place}/{labels}", sample.truth)

        yield store
        if named:
            told = json.dumps(names).encode()
            writer.add(_NAMES, np.frombuffer(told, np.uint8))


def read_names(path: Path) -> list[str]:
    """Return what samples were called; none where they are not named.

    Raises:
        CorruptObject: the archive is damaged.
    """
    file = ArrayFile(path)
    if _NAMES not in file.names:
        return []
    try:
        names: list[str] = json.loads(bytes(file.read(_NAMES)))
    except ValueError as error:
        raise CorruptObject(f"{path}: the stored names are damaged") from error
    return names


def read_samples(
    path: Path, *, labels: str | None, name_of: Callable[[int], str]
) -> Iterator[Sample]:
    """Yield the samples of an archive in order, one in memory at a time.

    Raises:
        CorruptObject: the archive is damaged.
    """
    import numpy as np

    file = ArrayFile(path)
    places = (place for place in file.names if place != _NAMES)
    grouped = itertools.groupby(places, lambda place: place.partition("/")[0])
    for index, (_, group) in enumerate(grouped):
        # A copy of what is mapped: the file may be gone while the sample is still in use.
        arrays = {place.partition("/")[2]: np.array(file.read(place)) for place in group}
        name = name_of(index)
        try:
            told = labels if labels != LABEL or LABEL in arrays else None
            label = read_label(arrays.pop(told), name) if told else ()
        except (KeyError, StepInputError) as error:
            raise CorruptObject(f"{path}: the stored label of {name} is damaged") from error
        yield Sample(name, arrays, *label)
