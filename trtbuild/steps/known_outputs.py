"""What a model made of some samples before: it is not run on them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.arrays import ArrayFile, RaggedRows
from trtbuild.core.options import Options
from trtbuild.core.sensitivity import PickedSamples
from trtbuild.steps.base import Context, Ref

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.steps.kept_outputs import KeptOutputs

    Rows = Iterable[tuple[str, np.ndarray]]

__all__ = ["KnownOutputs", "KnownRows", "open_known"]


class KnownOutputs(Options):
    """A model's outputs for samples that were picked before, by other steps."""

    outputs: Ref
    picked: Ref

    def open(self, context: Context) -> KnownRows:
        """Read which they are.

        Raises:
            CorruptObject: the file of outputs is torn.
        """
        return KnownRows(
            ArrayFile(context.path(self.outputs)), context.read(self.picked, PickedSamples)
        )


def open_known(outputs: Path, picked: Path) -> KnownRows | None:
    """Return what an earlier run left in two files, if both are there.

    Raises:
        CorruptObject: one of them is torn.
    """
    if not (outputs.is_file() and picked.is_file()):
        return None
    told = PickedSamples.read_json(picked.read_bytes(), what=str(picked))
    return KnownRows(ArrayFile(outputs), told)


class KnownRows:
    """Rows of outputs, by the place that their sample has in the data set."""

    def __init__(self, file: ArrayFile, picked: PickedSamples) -> None:
        """Take the outputs, and of which samples they are; the last may have none."""
        count = min((file.count(name) or 0 for name in file.names), default=0)
        self._rows = {name: file.read_rows(name) for name in file.names}
        self._known = {
            place: (index, picked.names[index]) for index, place in enumerate(picked.places[:count])
        }

    def leave_out(self, places: Iterable[int]) -> list[int]:
        """Return the places of the samples that are to be run."""
        return [place for place in places if place not in self._known]

    def weave(
        self, places: Sequence[int], made: Iterator[tuple[int, Rows]], kept: KeptOutputs
    ) -> Iterator[tuple[int, Rows]]:
        """Yield the rows of each sample in order, known or as they are `made`, one at a time.

        Beside them how many were run.
        """
        for place in places:
            if place not in self._known:
                yield next(made)
                continue
            index, sample = self._known[place]
            rows = {name: _row(rows, index)[None] for name, rows in self._rows.items()}
            yield 0, kept.look_at(rows, [sample])


def _row(rows: np.ndarray | RaggedRows, index: int) -> np.ndarray:
    return rows.row(index) if isinstance(rows, RaggedRows) else rows[index]
