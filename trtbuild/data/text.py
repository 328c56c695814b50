"""Lines of text, as the numbers of a tokenizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, NonEmpty
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path
from trtbuild.data.base import Choice, Sample
from trtbuild.data.file_search import find_by_suffix
from trtbuild.data.tokens import Tokens

if TYPE_CHECKING:
    from trtbuild.data.labels import Label

__all__ = ["Text"]

SUFFIXES = frozenset({".csv", ".text", ".tsv", ".txt"})
MOST_BYTES = 1 << 30
Column = Annotated[int, Field(ge=0)]


class Text(Choice, Tokens):
    """Texts, a line each, as a tokenizer makes them; needs the package `tokenizers`.

    Lines without a letter are passed over.
    """

    captured: ClassVar[Literal[False]] = False
    caveats: ClassVar[tuple[str, ...]] = ()

    kind: Literal["text"]
    path: Location
    """A file of UTF-8 text, or a folder or pattern of `.txt`, `.tsv` and `.csv` files, in name
    order; relative to the recipe."""
    separator: NonEmpty | None = None
    """What stands between the columns of a line, as a tab: `"\\t"`. By default a line is one text;
    quotes mean nothing."""
    text: Column = 0
    """The column of the text, from 0."""
    pair: Column | None = None
    """The column of a second text that goes with it, as question and answer do."""
    labels: Column | None = None
    """The column of the label: a class, a whole number from 0."""

    @model_validator(mode="after")
    def _columns_have_a_separator(self) -> Self:
        asked = [name for name in ("text", "pair", "labels") if getattr(self, name)]
        if asked and self.separator is None:
            raise ValueError(f"`{asked[0]}` is a column: say what is between them (`separator`)")
        return self

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the tokenizer, then the files of text.

        Raises:
            MissingFile: one is not there.
        """
        tokenizer = base / self.tokenizer
        if tokenizer.is_dir():
            tokenizer /= "tokenizer.json"
        note_path(tokenizer)
        if not tokenizer.is_file():
            raise MissingFile(
                f"{tokenizer}: no such file", hint="a tokenizer is a tokenizer.json beside a model"
            )
        return (tokenizer, *find_by_suffix(self.path, base, SUFFIXES, what="texts"))

    def find_labels(self, base: Path) -> tuple[int, ...]:  # noqa: ARG002  # they come with the lines
        """Return none: they come with the samples, if at all."""
        return ()

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:  # noqa: ARG002  # it takes none to speak of
        """Yield a sample for each chosen line, in order.

        Raises:
            MissingDependency: the package `tokenizers` is not installed.
            StepInputError: a file is no text, a line has too few columns, or there are too few.
        """
        tokenize = self.open_tokenizer(files[0], pairs=self.pair is not None)
        lines = [line for path in files[1:] for line in _read_lines(path)]
        where = files[1].name if len(files) == 2 else f"{len(files) - 1} files"  # noqa: PLR2004
        try:
            chosen = self.choose(len(lines), where=where, unit="line")
        except MissingFile as error:
            raise StepInputError(error.message, hint=error.hint) from None
        for index in chosen:
            name, line = lines[index]
            texts, label = self._split(line, name)
            yield Sample(name, tokenize(texts, name), *label)

    def expected(self, files: Sequence[Path]) -> int:  # noqa: ARG002  # shows only in reading
        """Return `count`, or 0."""
        return self.count or 0

    def fact_names(self) -> tuple[str, ...]:
        """Another version of the tokenizer's library may make other numbers."""
        return ("numpy", "tokenizers")

    def _split(self, line: str, name: str) -> tuple[tuple[str, ...], Label]:
        if self.separator is None:
            return (line,), (None, None)
        cells = line.split(self.separator)
        wanted = [each for each in (self.text, self.pair, self.labels) if each is not None]
        if max(wanted) >= len(cells):
            raise StepInputError(
                f"{name}: has {len(cells)} columns, and column {max(wanted)} is asked for",
                hint="columns count from 0; `separator` is what is between them",
            )
        places = (self.text,) if self.pair is None else (self.text, self.pair)
        texts = tuple(cells[place].strip() for place in places)
        if not all(texts):
            raise StepInputError(f"{name}: a text is empty", hint="write it, or take the line out")
        return texts, (self._read_label(cells, name), None)

    def _read_label(self, cells: Sequence[str], name: str) -> Any:
        if self.labels is None:
            return None
        told = cells[self.labels].strip()
        if not (told.isascii() and told.isdigit()):
            raise StepInputError(
                f"{name}: its label is `{told}`, not a whole number from 0",
                hint="number the classes from 0, in the order of the model's scores",
            )
        return int(told)


def _read_lines(path: Path) -> list[tuple[str, str]]:
    """Return the lines of a file that hold something, each with where it stands."""
    try:
        text = read_regular(path, most_bytes=MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StepInputError(
            f"{path}: is not UTF-8 text, from byte {error.start} on", hint="save it as UTF-8"
        ) from None
    except MissingFile as error:
        raise StepInputError(error.message, hint="is it still there?") from None
    lines = enumerate(text.split("\n"), start=1)
    found = [(f"{path.name}:{number}", line.rstrip("\r")) for number, line in lines]
    held = [(place, line) for place, line in found if line.strip()]
    if not held:
        raise StepInputError(f"{path}: holds no text", hint="write a text a line")
    return held
