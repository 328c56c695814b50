"""One output seen from two sides: what a sample of it is, and a walk in pieces of bounded size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Union

from trtbuild.core.arrays import RaggedRows
from trtbuild.core.frozen import frozen

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "Chunk",
    "Output",
    "SampleForm",
    "describe_form",
    "iterate_chunks",
    "list_row_shapes",
]

Output = Union["np.ndarray", RaggedRows]
"""What a model made of all samples: [samples, ...], or a row a sample where they differ in size."""

_CHUNK_VALUES = 1 << 21
"""How many values of a side are in memory at once (16 MiB as float64), one sample at least."""
_INTEGERS = "biu"


@frozen
class SampleForm:
    """What one sample of an output looks like on both sides."""

    shape: tuple[int, ...]
    """Its axes longer than one: a classifier's [1000, 1, 1] is [1000] here."""
    integer: bool
    """Both sides hold integers or truth values: classes and counts rather than a signal."""
    labels: tuple[int, int] | None
    """The smallest and the largest label; None where the data has no labels."""
    uniform: bool = True
    """Whether all samples have that shape; if not, it is the smallest one's."""

    @property
    def size(self) -> int:
        """The number of values in a sample."""
        return math.prod(self.shape)

    @property
    def classes(self) -> int:
        """How many scores an argmax chooses from; 0 where there is nothing to choose."""
        return self.shape[-1] if self.shape and not self.integer else 0


@frozen
class Chunk:
    """The same samples of an output on both sides; arrays are [n, ...]."""

    reference: np.ndarray
    candidate: np.ndarray
    labels: np.ndarray | None
    form: SampleForm

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Reference and candidate as float64 [n, values]."""
        return _rows(self.reference), _rows(self.candidate)

    @cached_property
    def finite(self) -> tuple[np.ndarray, np.ndarray]:
        """For each sample and side: no NaN and no Inf in it."""
        import numpy as np

        reference, candidate = (np.isfinite(side).all(axis=1) for side in self.rows)
        return reference, candidate

    @cached_property
    def unordered(self) -> np.ndarray:
        """For each sample: a NaN on either side, which no order has a place for."""
        import numpy as np

        reference, candidate = (np.isnan(side).any(axis=1) for side in self.rows)
        unordered: np.ndarray = reference | candidate
        return unordered

    @cached_property
    def scores(self) -> tuple[np.ndarray, np.ndarray]:
        """Reference and candidate as float64 [n, places, classes]."""
        reference, candidate = self.rows
        shape = (len(reference), -1, self.form.shape[-1])
        return reference.reshape(shape), candidate.reshape(shape)


def list_row_shapes(output: Output) -> list[tuple[int, ...]]:
    """Return the shape of each sample of an output."""
    if isinstance(output, RaggedRows):
        return output.shapes
    return [output.shape[1:]] * len(output)


def describe_form(reference: Output, candidate: Output, labels: np.ndarray | None) -> SampleForm:
    """Describe a sample of two outputs of one shape, or of the same shapes."""
    known = labels is not None and labels.size > 0
    ragged = isinstance(reference, RaggedRows)
    shape = min(list_row_shapes(reference), key=math.prod)
    return SampleForm(
        shape=tuple(axis for axis in shape if axis != 1),
        integer=all(side.dtype.kind in _INTEGERS for side in (reference, candidate)),
        labels=(int(labels.min()), int(labels.max())) if known and labels is not None else None,
        uniform=not ragged,
    )


def iterate_chunks(
    reference: Output, candidate: Output, labels: Any, form: SampleForm
) -> Iterator[Chunk]:
    """Walk two outputs of the same shapes together; no result depends on the chunks."""
    if isinstance(reference, RaggedRows) or isinstance(candidate, RaggedRows):
        yield from _iterate_rows(reference, candidate, labels, form)
        return
    step = max(1, _CHUNK_VALUES // max(1, form.size))
    for start in range(0, len(reference), step):
        part = slice(start, start + step)
        some = None if labels is None else labels[part]
        yield Chunk(reference[part], candidate[part], some, form)


def _iterate_rows(
    reference: Output, candidate: Output, labels: Any, form: SampleForm
) -> Iterator[Chunk]:
    """Walk sample by sample, each of a form of its own."""
    for index, shape in enumerate(list_row_shapes(reference)):
        sides = (
            side.row(index) if isinstance(side, RaggedRows) else side[index]
            for side in (reference, candidate)
        )
        some = None if labels is None else labels[index : index + 1]
        own = replace(form, shape=tuple(axis for axis in shape if axis != 1))
        mine, other = (side[None] for side in sides)
        yield Chunk(mine, other, some, own)


def _rows(array: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.asarray(array, dtype=np.float64).reshape(len(array), -1)
