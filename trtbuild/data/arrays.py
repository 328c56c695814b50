"""Ready arrays in npy and npz files; axis 0 counts the samples."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, NonEmpty
from trtbuild.core.values import TensorSpec
from trtbuild.core.words import quote_whole
from trtbuild.data.base import Choice, Sample, spread_evenly
from trtbuild.data.file_search import find_named_files, is_pattern
from trtbuild.data.labels import read_label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trtbuild.data.npy import ArrayReader

__all__ = ["Arrays", "describe_array_file", "read_array_file"]

AXIS = (
    "axis 0 must count the samples in every array: [samples, ...]; a file that is one sample needs "
    "`one_a_file: true`"
)
MOST_ARRAYS = 1000
SUFFIXES = (".npy", ".npz")
DEFLATE_AT_BEST = 1032
"""No deflate stream expands further (zlib.net/zlib_tech.html)."""


class Arrays(Choice):
    """Arrays in npz files (one array a model input), or in npy files (the one `input`)."""

    captured: ClassVar[Literal[False]] = False
    caveats: ClassVar[tuple[str, ...]] = ()

    kind: Literal["arrays"]
    path: Location
    """The npz or npy file, or a folder or pattern for many of them, in name order; relative to the
    recipe. What a single file is shows from its contents."""
    one_a_file: bool = False
    """Whether each file is one sample, its arrays without an axis for samples. By default axis 0 of
    every array counts the samples, and files follow each other."""
    input: NonEmpty = "input"
    """The model input that an npy file's array is for; an npz file names its arrays itself."""
    transpose: dict[str, tuple[Annotated[int, Field(ge=0)], ...]] = {}
    """The order in which a model takes the axes of a sample, by input, where files have them in
    another: `{image: [2, 0, 1]}` makes [channels, height, width] of [height, width, channels]."""
    labels: NonEmpty | None = None
    """The npz array that holds each sample's label and is no model input: its class (a whole number
    from 0), or what should come out (boxes, a mask, a picture, tokens); none by default."""

    @field_validator("transpose")
    @classmethod
    def _each_axis_once(cls, value: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        for name, axes in value.items():
            if sorted(axes) != list(range(len(axes))):
                raise ValueError(f"`transpose` of `{name}` must name each axis once, from 0")
        return value

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the file, or all of them; of those that are one sample each, the chosen ones.

        Raises:
            MissingFile: there is none, or there are fewer than `count`.
        """
        place = base / self.path
        if not place.is_dir() and not is_pattern(self.path):
            if not place.is_file():
                raise MissingFile(
                    f"{place}: no such file", hint="paths relate to the recipe's file"
                )
            return (place,)
        hint = "files of arrays end in " + ", ".join(SUFFIXES)
        root, names = find_named_files(self.path, base, _is_array_file, what="arrays", hint=hint)
        chosen: Sequence[int] = range(len(names))
        if self.one_a_file:
            chosen = self.choose(len(names), where=str(place), unit="file")
        return tuple(root / names[index] for index in chosen)

    def find_labels(self, base: Path) -> tuple[int, ...]:  # noqa: ARG002  # names tell none
        """Return none: they come with the samples, if at all."""
        return ()

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:  # noqa: ARG002  # reading needs none
        """Yield the samples in order, one in memory at a time.

        Raises:
            StepInputError: a file cannot be read, or its arrays do not belong together.
        """
        if self.one_a_file:
            for path in files:
                with _open_arrays(path, self.input) as readers, _translate_errors(path):
                    labels = self._labels(path, readers)
                    arrays = {key: reader.whole() for key, reader in readers.items()}
                    told = read_label(labels.whole(), path.name) if labels else ()
                    yield Sample(path.name, self._turn(arrays, path.name), *told)
            return
        lengths = [1]
        if len(files) > 1 or not self.takes_all:
            lengths = [self._count(path) for path in files]
        with _translate_errors(files[0]):
            where = files[0].name if len(files) == 1 else f"{len(files)} files"
            chosen = self.choose(sum(lengths), where=where, unit="sample")
        before = 0
        for path, length in zip(files, lengths, strict=True):
            here = [index - before for index in chosen if before <= index < before + length]
            yield from self._rows(path, None if self.takes_all else here)
            before += length

    def expected(self, files: Sequence[Path]) -> int:
        """Return `count`, or the number of files that are a sample each; or 0."""
        return len(files) if self.one_a_file else self.count or 0

    def fact_names(self) -> tuple[str, ...]:
        """Bytes are taken as they are: no version matters."""
        return ()

    def _count(self, path: Path) -> int:
        with _open_arrays(path, self.input) as readers, _translate_errors(path):
            return _length(path, list(readers.values()))

    def _rows(self, path: Path, chosen: Sequence[int] | None) -> Iterator[Sample]:
        """Yield the samples of one file; all, where none are chosen."""
        with _open_arrays(path, self.input) as readers, _translate_errors(path):
            everything = list(readers.values())
            labels = self._labels(path, readers)
            total = _length(path, everything)
            if chosen is None:
                chosen = spread_evenly(total, None, where=path.name, unit="sample")
            for index in chosen:
                name = f"{path.name}[{index}]"
                arrays = {key: reader.read(index) for key, reader in readers.items()}
                told = read_label(labels.read(index), name) if labels else ()
                yield Sample(name, self._turn(arrays, name), *told)
            for reader in everything:
                reader.finish()

    def _turn(self, arrays: dict[str, NDArray[Any]], name: str) -> dict[str, NDArray[Any]]:
        """Return arrays with their axes in the order that the model takes."""
        import numpy as np

        for key, axes in self.transpose.items():
            if key not in arrays:
                raise StepInputError(
                    f"{name}: has no array `{key}`, which `transpose` names",
                    hint=f"its arrays: {', '.join(arrays)}",
                )
            if len(axes) != arrays[key].ndim:
                raise StepInputError(
                    f"{name}: `{key}` is {list(arrays[key].shape)}, and `transpose` names "
                    f"{len(axes)} axes",
                    hint="the axis that counts samples is none of them",
                )
            arrays[key] = np.ascontiguousarray(arrays[key].transpose(axes))
        return arrays

    def _labels(self, path: Path, readers: dict[str, ArrayReader]) -> ArrayReader | None:
        if self.labels is None:
            return None
        names = ", ".join(readers)
        found = readers.pop(self.labels, None)
        if found is None or not readers:
            raise StepInputError(
                f"{path.name}: has no array `{self.labels}` for the labels beside the inputs",
                hint=f"its arrays: {names}",
            )
        return found


def _is_array_file(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def read_array_file(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file, or of an npy file the one, as `input`.

    Raises:
        StepInputError: it cannot be read, or holds what no model takes.
    """
    with _open_arrays(path, "input") as readers, _translate_errors(path):
        return {name: reader.whole() for name, reader in readers.items()}


def describe_array_file(path: Path) -> dict[str, TensorSpec]:
    """Return types and shapes of the arrays of an npz file, or of an npy file the one, as `input`.

    Raises:
        StepInputError: it cannot be read, or holds what no model takes.
    """
    with _open_arrays(path, "input") as readers, _translate_errors(path):
        return {
            name: TensorSpec(name=name, dtype=reader.dtype.name, shape=reader.shape)
            for name, reader in readers.items()
        }


@contextlib.contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    """Turn what damaged archives raise while they are read into one error."""
    try:
        yield
    except MissingFile as error:  # what was pinned holds too few samples
        raise StepInputError(error.message, hint=error.hint) from None
    except OSError as error:
        raise StepInputError(
            f"{path}: cannot be read: {error.strerror or error}", hint="is it still there?"
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise StepInputError(
            f"{path.name}: is damaged or cut short: {quote_whole(str(error))}", hint="save it again"
        ) from error


@contextlib.contextmanager
def _open_arrays(path: Path, name: str) -> Iterator[dict[str, ArrayReader]]:
    """Open every array of the file; keys are model inputs (and labels), sorted."""
    from trtbuild.data.npy import ArrayReader

    with contextlib.ExitStack() as stack, _translate_errors(path):
        file = stack.enter_context(path.open("rb"))
        magic = file.read(6)
        file.seek(0)
        if magic == b"\x93NUMPY":
            size = path.stat().st_size
            readers = {name: ArrayReader.of(file, size=size, where=path.name)}
        elif magic[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
            archive = stack.enter_context(zipfile.ZipFile(file))
            readers = _members(archive, path.name, stack)
        else:
            raise StepInputError(
                f"{path.name}: is neither an npz nor an npy file",
                hint="save arrays with numpy.savez(path, input=..., labels=...)",
            )
        yield readers


def _members(
    archive: zipfile.ZipFile, where: str, stack: contextlib.ExitStack
) -> dict[str, ArrayReader]:
    from trtbuild.data.npy import ArrayReader

    readers: dict[str, ArrayReader] = {}
    if len(archive.infolist()) > MOST_ARRAYS:
        raise StepInputError(
            f"{where}: holds {len(archive.infolist())} arrays; more than {MOST_ARRAYS} are refused",
            hint="save one array a model input, with the samples on axis 0",
        )
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        name, place = info.filename.removesuffix(".npy"), f"{where}[{info.filename!r}]"
        _demand_plain(info, place)
        if name in readers:
            raise StepInputError(f"{place}: is there twice", hint="save the file again")
        member: IO[bytes] = stack.enter_context(archive.open(info))
        readers[name] = ArrayReader.of(member, size=info.file_size, where=f"{where}[{name!r}]")
    return readers


def _demand_plain(info: zipfile.ZipInfo, place: str) -> None:
    if not info.filename.endswith(".npy"):
        raise StepInputError(
            f"{place}: is no npy array", hint="save arrays with numpy.savez, and nothing else"
        )
    if info.flag_bits & 1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise StepInputError(
            f"{place}: is encrypted or compressed in a way that is not read",
            hint="save the file with numpy.savez or numpy.savez_compressed",
        )
    if info.file_size > DEFLATE_AT_BEST * info.compress_size + 1024:
        raise StepInputError(
            f"{place}: declares {info.file_size} bytes, packed into {info.compress_size}:"
            " no archive packs so tightly",
            hint="it is damaged or made to do harm",
        )


def _length(path: Path, readers: list[ArrayReader]) -> int:
    for reader in readers:
        if not reader.shape:
            raise StepInputError(f"{reader.where}: is a single number", hint=AXIS)
        if 0 in reader.shape[1:]:
            shape = list(reader.shape)
            raise StepInputError(f"{reader.where}: its samples are empty: {shape}", hint=AXIS)
    lengths = {reader.shape[0] for reader in readers}
    if len(lengths) > 1:
        told = ", ".join(f"{reader.where} {reader.shape[0]}" for reader in readers)
        raise StepInputError(
            f"{path.name}: its arrays differ in the number of samples: {told}", hint=AXIS
        )
    return lengths.pop() if lengths else 0
