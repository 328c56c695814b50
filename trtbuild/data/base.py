"""Sample, Manifest, and what every data source does."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Protocol, Self, runtime_checkable

from pydantic import Field, field_validator, model_validator

from trtbuild.core.digest import digest_of_bytes
from trtbuild.core.errors import MissingFile
from trtbuild.core.frozen import frozen
from trtbuild.core.options import Options, Share
from trtbuild.core.values import TensorSpec

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "Choice",
    "DataSource",
    "DecodingSource",
    "Manifest",
    "Sample",
    "SizeSpan",
    "ValueSpan",
    "spread_evenly",
]


@frozen
class Sample:
    """One sample: an array for each model input, without the batch axis or with one of size 1."""

    name: str
    """Where it came from (`cat.jpg`, `eval.npz[3]`), for messages; never part of a result."""
    arrays: "dict[str, np.ndarray]"
    label: int | None = None
    truth: "np.ndarray | None" = None
    """Its label where that is an array: boxes, a mask, a picture, tokens."""
    frames: int = 1
    """How many pictures its file holds; the first is read."""


class ValueSpan(Options):
    """Where the values of one array lie, over all samples; to five digits."""

    low: float
    high: float
    mean: float
    deviation: float
    values: int


class SizeSpan(Options):
    """An axis on which samples differ in size."""

    tensor: str
    axis: int
    least: int
    most: int
    first: int
    """The number of the first sample (from 0) that is unlike sample 0."""


class Manifest(Options):
    """What a data source was found to hold, in order: what a run's numbers rest on."""

    count: int
    samples: tuple[str, ...]
    """A digest for each sample: of its arrays as the model takes them, and its label."""
    tensors: tuple[TensorSpec, ...]
    """Name, dtype and shape of each array of a sample; sorted by name. A size in which samples
    differ is written as a span: `224..512`."""
    labelled: bool
    labels: tuple[int, ...] = ()
    """The label of each sample; empty where the data has none."""
    sizes: tuple[SizeSpan, ...] = ()
    """The axes on which samples differ; empty where all have one shape."""
    peaks: dict[str, tuple[float, ...]] = {}
    """The largest |x| of each sample, by the name of each array of floats or bytes; 0 in an empty
    one."""
    spans: dict[str, ValueSpan] = {}
    """Of arrays of floats and bytes, by name: identifiers and masks have no scale."""


class DataSource(Protocol):
    """A kind of data: which files it reads, and the samples in them."""

    @property
    def kind(self) -> str:
        """The word that a recipe has for it."""

    @property
    def captured(self) -> bool:
        """True where no digest of files can promise the samples: they are run once and stored."""

    caveats: ClassVar[tuple[str, ...]]
    """What must stand beside every number that rests on the samples."""

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return every file to pin, in the order in which samples come; paths relate to `base`.

        Raises:
            MissingFile: there is none, or one that the recipe names is not there.
        """

    def find_labels(self, base: Path) -> tuple[int, ...]:
        """Return the class of each sample where the places of its files tell; none elsewhere.

        Raises:
            MissingFile, StepInputError: they should, and do not.
        """

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the samples of the pinned files, in order, one at a time.

        Up to `threads` are made ready at once, ahead of the reader; how many changes no sample.

        Raises:
            StepInputError: a file cannot be read; says which and why.
        """

    def expected(self, files: Sequence[Path]) -> int:
        """Return how many samples will come, or 0 where that shows only in reading them."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the installed packages whose version may change a sample."""


@runtime_checkable
class DecodingSource(Protocol):
    """A data source whose samples take long to decode, and little room once that is done.

    A capture stores them as they are then, so that the steps behind it need not decode again.
    """

    def decode(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the samples as they are stored; otherwise as `samples` does.

        Raises:
            StepInputError: a file cannot be read; says which and why.
        """

    def finish(self, sample: Sample) -> Sample:
        """Return a decoded sample as the model takes it."""


def spread_evenly(total: int, count: int | None, *, where: str, unit: str) -> range | list[int]:
    """Return which `count` of `total` items to take: item `i * total // count` for each i.

    Spread evenly and not the first ones, since data often lies sorted by class. With None, all.

    Raises:
        MissingFile: there are fewer than asked for, or none.
    """
    if total == 0:
        raise MissingFile(f"{where}: holds no {unit}s", hint=f"put the {unit}s there")
    if count is None:
        return range(total)
    if count > total:
        held = f"{total} {unit}" + ("s" if total > 1 else "")
        raise MissingFile(
            f"{where}: holds {held}, and `count` asks for {count}",
            hint=f"lower `count` to {total} or leave it out to take all",
        )
    return [index * total // count for index in range(count)]


class Choice(Options):
    """Which of the samples that are there a data source takes."""

    part: Annotated[str, Field(pattern=r"^[1-9]\d{0,5}/[1-9]\d{0,5}$")] | None = None
    """Which of equal parts that share no sample to take from, as `1/2` to calibrate on and `2/2` to
    compare on: of every two (three, ...) samples in their order each part has one, drawn always the
    same way. `count` and `fraction` then choose from the part. All by default."""
    count: Annotated[int, Field(gt=0)] | None = None
    """How many samples to take, spread evenly over all in their order (so over all classes, where
    pictures lie in a folder for each); fewer there are an error. All by default."""
    fraction: Annotated[Share, Field(gt=0, le=1)] | None = None
    """Which share of the samples to take, in place of `count`: `10%` or 0.1; at least one."""
    shuffle: Annotated[int, Field(ge=0)] | None = None
    """Draw which samples to take from this seed, in place of evenly; they keep their order."""

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if self.count is not None and self.fraction is not None:
            raise ValueError("`count` and `fraction` both say how many samples to take; remove one")
        if self.shuffle is not None and self.count is None and self.fraction is None:
            raise ValueError("`shuffle` draws which samples are taken: add `count` or `fraction`")
        return self

    @field_validator("part")
    @classmethod
    def _one_of_them(cls, value: str | None) -> str | None:
        if value is not None:
            number, parts = map(int, value.split("/"))
            if number > parts:
                raise ValueError(f"`part: {value}`: there are {parts} parts, numbered from 1")
        return value

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left out."""
        return self.count is None and self.fraction is None and self.part is None

    def choose(self, total: int, *, where: str, unit: str) -> Sequence[int]:
        """Return which of `total` items to take, in order; `where` and `unit` are for messages.

        Raises:
            MissingFile: there are fewer than asked for, or none.
        """
        if self.part is None or not total:
            return self._choose_from(total, where=where, unit=unit)
        number, parts = map(int, self.part.split("/"))
        own = _list_part(number, parts, total)
        told = f"part {self.part} of {where}"
        return [own[place] for place in self._choose_from(len(own), where=told, unit=unit)]

    def _choose_from(self, total: int, *, where: str, unit: str) -> Sequence[int]:
        count = self.count
        if self.fraction is not None and total:
            count = max(1, round(total * self.fraction))
        even = spread_evenly(total, count, where=where, unit=unit)
        if self.shuffle is None:
            return even
        drawn = sorted(range(total), key=lambda index: _draw(self.shuffle, index))
        return sorted(drawn[: len(even)])


def _list_part(number: int, parts: int, total: int) -> list[int]:
    """Return the items of one of equal parts: of each run of `parts` items, one that is drawn.

    So each part has its share of data that lies sorted, and of data in which classes take turns.
    What is over goes to the first parts.
    """
    found = []
    for start in range(0, total - parts + 1, parts):
        run = sorted(range(start, start + parts), key=lambda index: _draw("part", index))
        found.append(run[number - 1])
    return found + ([total - total % parts + number - 1] if number <= total % parts else [])


def _draw(seed: int | str | None, index: int) -> str:
    """Return an item's place in an order that is the same in every version of everything."""
    return digest_of_bytes(f"{seed} {index}".encode())
