"""Ready arrays in npy and npz files; axis 0 counts the samples."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, Options
from trtbuild.core.words import quote_whole
from trtbuild.data.base import Sample, spread_evenly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trtbuild.data.npy import ArrayReader

__all__ = ["Arrays", "describe_array_file", "read_array_file"]

AXIS = "axis 0 must count the samples in every array: [samples, ...]"
MOST_ARRAYS = 1000
DEFLATE_AT_BEST = 1032
"""No deflate stream expands further (zlib.net/zlib_tech.html)."""


class Arrays(Options):
    """Arrays in an npz file (one array a model input), or an npy file (the one `input`)."""

    captured: ClassVar[Literal[False]] = False
    caveats: ClassVar[tuple[str, ...]] = ()

    kind: Literal["arrays"]
    path: Location
    """The npz or npy file, relative to the recipe; what it is shows from its contents. Axis 0 of
    every array counts the samples."""
    input: Annotated[str, Field(min_length=1)] = "input"
    """The model input that an npy file's array is for; an npz file names its arrays itself."""
    labels: Annotated[str, Field(min_length=1)] | None = None
    """The npz array that holds each sample's label and is no model input: its class (a whole number
    from 0), or what should come out (boxes, a mask, a picture, tokens); none by default."""
    count: Annotated[int, Field(gt=0)] | None = None
    """How many samples to take, spread evenly over the file; fewer there are an error. All by
    default."""

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the one file.

        Raises:
            MissingFile: it is not there, or is a directory.
        """
        place = base / self.path
        if place.is_dir():
            raise MissingFile(f"{place}: is a directory; an npz or npy file is needed")
        if not place.is_file():
            raise MissingFile(f"{place}: no such file", hint="paths relate to the recipe's file")
        return (place,)

    def find_labels(self, base: Path) -> tuple[int, ...]:  # noqa: ARG002  # names tell none
        """Return none: they come with the samples, if at all."""
        return ()

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:  # noqa: ARG002  # reading needs none
        """Yield the samples in order, one in memory at a time.

        Raises:
            StepInputError: the file cannot be read, or its arrays do not belong together.
        """
        from trtbuild.data.labels import read_label

        (path,) = files
        with _open_arrays(path, self.input) as readers, _translate_errors(path):
            everything = list(readers.values())
            label = self._labels(path, readers)
            total = _length(path, everything)
            for index in spread_evenly(total, self.count, where=path.name, unit="sample"):
                name = f"{path.name}[{index}]"
                arrays = {key: reader.read(index) for key, reader in readers.items()}
                told = read_label(label.read(index), name) if label else ()
                yield Sample(name, arrays, *told)
            for reader in everything:
                reader.finish()

    def expected(self, files: Sequence[Path]) -> int:  # noqa: ARG002  # shows only in reading
        """Return `count`, or 0."""
        return self.count or 0

    def fact_names(self) -> tuple[str, ...]:
        """Bytes are taken as they are: no version matters."""
        return ()

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


def read_array_file(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file, or of an npy file the one, as `input`.

    Raises:
        StepInputError: it cannot be read, or holds what no model takes.
    """
    with _open_arrays(path, "input") as readers, _translate_errors(path):
        return {name: reader.whole() for name, reader in readers.items()}


def describe_array_file(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays of an npz file, or of an npy file the one, as `input`.

    Raises:
        StepInputError: it cannot be read, or holds what no model takes.
    """
    with _open_arrays(path, "input") as readers, _translate_errors(path):
        return {name: reader.shape for name, reader in readers.items()}


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
