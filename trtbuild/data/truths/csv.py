"""csv: a table with the class of each picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Location, NonEmpty, Options
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path
from trtbuild.core.words import quote_whole
from trtbuild.data.class_folders import read_class_names

__all__ = ["Csv"]

_MOST_BYTES = 256 << 20
_MOST_DIGITS = 9


class Csv(Options):
    """The class of each picture in a table, a row for each, below a row of the columns' names."""

    tells_classes: ClassVar[Literal[True]] = True

    kind: Literal["csv"]
    path: Location
    """The file, relative to the recipe: UTF-8, with commas, semicolons or tabs between columns. It
    may hold more pictures than the data takes."""
    file: NonEmpty = "file"
    """The column of the picture: its path below the data's folder, or its name alone, either with
    or without its suffix."""
    label: NonEmpty = "label"
    """The column of the class: a whole number from 0, or a name."""
    classes: Location | None = None
    """A file with the classes' names, a line each, in the order of the model's scores; without it,
    names are numbered in name order."""

    def read_classes(self, base: Path, pictures: Sequence[str]) -> tuple[int, ...]:
        """Return the class of each picture.

        Raises:
            MissingFile: there is no such file.
            StepInputError: it lacks a column or a picture, or holds what is no class.
        """
        place = base / self.path
        note_path(place)
        told = self._read(place)
        found = [_find(told, picture, place) for picture in pictures]
        if all(_is_number(label) for label in told.values()) and self.classes is None:
            return tuple(int(told[key]) for key in found)
        names = read_class_names(base / self.classes) if self.classes else ()
        numbers = {name: n for n, name in enumerate(names or sorted(set(told.values())))}
        strange = next((each for each in (told[key] for key in found) if each not in numbers), None)
        if strange is not None:
            raise StepInputError(
                f"{place}: the class `{strange}` is none of the {len(names)} in `classes`",
                hint="add its name there, in the order of the model's scores",
            )
        return tuple(numbers[told[key]] for key in found)

    def _read(self, place: Path) -> dict[str, str]:
        """Return the label of each picture by what the table calls it."""
        import csv
        import io

        try:
            text = read_regular(place, most_bytes=_MOST_BYTES).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise StepInputError(f"{place}: is not UTF-8 text") from None
        head = text.partition("\n")[0]
        mark = max(",;\t", key=head.count)
        found: dict[str, str] = {}
        try:
            rows = csv.DictReader(io.StringIO(text), delimiter=mark, strict=True)
            self._demand_columns(rows.fieldnames or (), place)
            for row in rows:
                name, label = row[self.file], row[self.label]
                if not name or not label:
                    told = f"{place}:{rows.line_num}: has no `{self.label}` or no `{self.file}`"
                    raise StepInputError(told, hint="write both, or take the row out")
                if found.setdefault(name.strip(), label.strip()) != label.strip():
                    told = f"{place}:{rows.line_num}: gives `{name}` another label than before"
                    raise StepInputError(told, hint="keep one of the rows")
        except csv.Error as error:
            raise StepInputError(f"{place}: is no such table: {quote_whole(str(error))}") from None
        return found

    def _demand_columns(self, columns: Sequence[str], place: Path) -> None:
        for option, column in (("file", self.file), ("label", self.label)):
            if column not in columns:
                raise StepInputError(
                    f"{place}: has no column `{column}` for `{option}`",
                    hint=f"its columns: {', '.join(columns) or 'none'}",
                )


def _is_number(label: str) -> bool:
    return label.isascii() and label.isdigit() and len(label) <= _MOST_DIGITS


def _find(told: Mapping[str, str], picture: str, place: Path) -> str:
    path = PurePosixPath(picture)
    for name in (picture, path.with_suffix("").as_posix(), path.name, path.stem):
        if name in told:
            return name
    raise StepInputError(
        f"{place}: has no row for {picture}", hint="add it, or take the picture out of the data"
    )
