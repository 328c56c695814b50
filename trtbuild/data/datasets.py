"""Hugging Face datasets on disk: Arrow and Parquet files, a row a sample."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, NonEmpty
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path
from trtbuild.data.base import Choice, Sample
from trtbuild.data.cells import read_cell
from trtbuild.data.extras import load_extra
from trtbuild.data.file_search import find_by_suffix
from trtbuild.data.labels import read_label
from trtbuild.data.preprocess import Preprocess
from trtbuild.data.rows import count_rows, read_rows

__all__ = ["Datasets"]

STATE, SPLITS, INFO = "state.json", "dataset_dict.json", "dataset_info.json"
SUFFIXES = frozenset({".arrow", ".parquet"})


class Datasets(Choice):
    """A data set that `datasets` has saved (`save_to_disk`), or Parquet and Arrow files as such.

    Needs the package `pyarrow`, and not `datasets` itself.
    """

    captured: ClassVar[Literal[False]] = False
    caveats: ClassVar[tuple[str, ...]] = ()

    kind: Literal["datasets"]
    path: Location
    """The folder that `save_to_disk` has written, or a file, folder or pattern of `.parquet` and
    `.arrow` files, in name order; relative to the recipe."""
    split: NonEmpty | None = None
    """Which of the splits that were saved together: `train`, `test`."""
    columns: Annotated[dict[NonEmpty, NonEmpty], Field(min_length=1)]
    """The column for each model input: `{pixel_values: image}`. A column holds numbers, lists of
    them, or pictures (as `Image()` saves them: with their bytes), which need `preprocess`."""
    labels: NonEmpty | None = None
    """The column of each sample's label: its class (a whole number from 0), or numbers that should
    come out; none by default."""
    preprocess: Preprocess | None = None
    """How a picture becomes the array that the model takes."""

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the files of rows, in order.

        Raises:
            MissingFile: there is none.
            StepInputError: the folder is not what `save_to_disk` writes, or has no such split.
        """
        folder = base / self.path
        note_path(folder)
        if not folder.is_dir():
            return tuple(find_by_suffix(self.path, base, SUFFIXES, what="Arrow files"))
        folder = self._find_split(folder)
        note_path(folder / STATE)
        if not (folder / STATE).is_file():
            return tuple(find_by_suffix(str(folder), base, SUFFIXES, what="Arrow files"))
        state = _read_json(folder / STATE)
        if state.get("_indices_data_files"):
            raise StepInputError(
                f"{folder}: was saved as a choice from other rows",
                hint="save it again, by `dataset.flatten_indices().save_to_disk(...)`",
            )
        files = [folder / str(each.get("filename")) for each in state.get("_data_files", ())]
        missing = next((path for path in files if not path.is_file()), None)
        if missing is not None or not files:
            raise MissingFile(f"{missing or folder}: no such file; {STATE} names it")
        return tuple(files)

    def find_labels(self, base: Path) -> tuple[int, ...]:  # noqa: ARG002  # they come with the rows
        """Return none: they come with the samples, if at all."""
        return ()

    def find_class_names(self, base: Path) -> tuple[str, ...]:
        """Return the names of the classes, where `save_to_disk` has written them.

        Raises:
            MissingFile, StepInputError: the files are not there, or no JSON.
        """
        place = self.find_files(base)[0].parent / INFO
        note_path(place)
        if self.labels is None or not place.is_file():
            return ()
        features = _read_json(place).get("features")
        told = features.get(self.labels) if isinstance(features, dict) else None
        return tuple(map(str, told.get("names", ()))) if isinstance(told, dict) else ()

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the chosen rows in order; up to `threads` pictures are decoded at once, ahead.

        Raises:
            MissingDependency: the package `pyarrow` is not installed.
            StepInputError: a file is damaged, lacks a column, or a cell is no array; or there are
                too few rows.
        """
        from trtbuild.data.prefetch import map_in_order

        load_extra("pyarrow", "datasets")
        lengths = [count_rows(path) for path in files]
        where = files[0].name if len(files) == 1 else f"{len(files)} files"
        try:
            chosen = self.choose(sum(lengths), where=where, unit="row")
        except MissingFile as error:
            raise StepInputError(error.message, hint=error.hint) from None
        names = sorted({*self.columns.values(), *((self.labels,) if self.labels else ())})

        def rows() -> Iterator[tuple[str, Mapping[str, Any]]]:
            before = 0
            for path, length in zip(files, lengths, strict=True):
                here = [index - before for index in chosen if before <= index < before + length]
                for index, row in read_rows(path, names, here):
                    yield f"{path.name}[{index}]", row
                before += length

        return map_in_order(lambda each: self._prepare(*each), rows(), threads=threads)

    def decode(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the samples: there is nothing between decoding and what the model takes."""
        return self.samples(files, threads=threads)

    def finish(self, sample: Sample) -> Sample:
        """Return it."""
        return sample

    def _prepare(self, name: str, row: Mapping[str, Any]) -> Sample:
        arrays = {
            key: read_cell(row[column], f"{name}: `{column}`", self.preprocess)
            for key, column in sorted(self.columns.items())
        }
        told = read_label(row[self.labels], name) if self.labels else ()
        return Sample(name, arrays, *told)

    def expected(self, files: Sequence[Path]) -> int:  # noqa: ARG002  # shows only in reading
        """Return `count`, or 0."""
        return self.count or 0

    def fact_names(self) -> tuple[str, ...]:
        """Files are read by pyarrow, pictures decoded and resized by Pillow."""
        return ("numpy", "pillow", "pyarrow") if self.preprocess else ("numpy", "pyarrow")

    def _find_split(self, folder: Path) -> Path:
        note_path(folder / SPLITS)
        if not (folder / SPLITS).is_file():
            if self.split is None:
                return folder
            note_path(folder / self.split)
            if (folder / self.split).is_dir():
                return folder / self.split
            raise StepInputError(
                f"{folder}: has no splits", hint="leave out `split`, or name the folder above"
            )
        splits = [str(each) for each in _read_json(folder / SPLITS).get("splits", ())]
        if self.split not in splits:
            told = "holds several splits" if self.split is None else f"has no split `{self.split}`"
            hint = f"write `split`: one of {', '.join(splits)}"
            raise StepInputError(f"{folder}: {told}", hint=hint)
        return folder / str(self.split)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(read_regular(path))
    except (ValueError, RecursionError) as error:
        raise StepInputError(f"{path}: is not JSON: {error}", hint="save the data again") from None
    if not isinstance(told, dict):
        raise StepInputError(f"{path}: is not what `save_to_disk` writes")
    return told
