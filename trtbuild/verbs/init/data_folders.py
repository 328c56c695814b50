"""What lies at the place that `--data` names, and how a recipe reads it: a row for each sort."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path
from typing import Any, NamedTuple

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.data.pixels import SUFFIXES
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.splitting import divide_by_name

__all__ = ["FoundData", "Part", "find_data"]

MOST_CALIBRATED, MOST_COMPARED = 128, 500
MOST_FILES = 200_000
"""More are not looked at: what there is shows by then."""
FIRST = ("calib", "calibration", "train", "training")
SECOND = ("eval", "val", "valid", "validation", "test")
_LABELS = ("label", "labels", "target", "targets", "y", "class", "classes")


@dataclass(frozen=True)
class Part:
    """One of two data sets: its options without those that are the same in both."""

    options: Mapping[str, Any]
    count: int
    """How many samples it has, 0 where that is not known."""
    remark: str = ""


@dataclass(frozen=True)
class FoundData:
    """What was found, and how it is read."""

    what: str
    """In words, for the recipe's reader."""
    kind: str
    first: Part
    second: Part | None
    """What the comparison takes; None where what is there is one part that cannot be divided."""
    brings: tuple[str, ...]
    """The inputs that it has arrays for."""
    pictures: bool = False
    classes: int = 0
    """How many classes its folders tell; 0 where they tell none."""
    labels: str = ""
    """The array of labels, or `folders`."""


class _Place(NamedTuple):
    path: Path
    written: str
    """As the recipe has it."""
    files: Sequence[str]
    """What lies there, hidden files left out, by paths below it; the file itself is `.`."""
    fed: Sequence[FedInput]
    batch: int


def find_data(path: Path, written: str, fed: Sequence[FedInput]) -> FoundData:
    """Say what lies at a place, and how it feeds a model.

    Raises:
        MissingFile: nothing lies there.
        UsageError: it is nothing that a recipe reads, or does not feed this model.
    """
    if not path.exists():
        raise MissingFile(f"{path}: no such file or folder", hint="--data names data to feed")
    batch = max((each.batch for each in fed), default=1)
    place = _Place(path, written, _list(path), fed, batch)
    if not place.files:
        raise UsageError(f"--data {path}: is empty", hint="put samples there, or leave it out")
    for suffixes, read in READERS:
        mine = [name for name in place.files if _suffix(path, name) in suffixes]
        if mine:
            return read(place._replace(files=mine))
    told = ", ".join(sorted({_suffix(path, name) or name for name in place.files})[:5])
    known = ", ".join(sorted(suffix for suffixes, _ in READERS for suffix in suffixes))
    raise UsageError(
        f"--data {path}: holds nothing that a recipe reads by itself ({told})",
        hint=f"it reads {known}; for anything else, write `kind: python`",
    )


def _list(path: Path) -> list[str]:
    if not path.is_dir():
        return ["."]
    return sorted(_below(path))


def _below(path: Path) -> Iterator[str]:
    count = 0
    for place, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        prefix = os.path.relpath(place, path).replace(os.sep, "/")
        for name in names:
            if not name.startswith("."):
                yield name if prefix == "." else f"{prefix}/{name}"
                count += 1
        if count > MOST_FILES:
            return


def _suffix(path: Path, name: str) -> str:
    return (path if name == "." else Path(name)).suffix.lower()


def _read_pictures(place: _Place) -> FoundData:
    fed = next((each for each in place.fed if each.role == "picture"), None)
    if fed is None or fed.spec.dtype not in ("float32", "float16"):
        told = ", ".join(f"`{e.spec.name}` {e.spec.dtype} {list(e.spec.shape)}" for e in place.fed)
        raise UsageError(
            f"--data {place.path}: holds pictures, and no input of the model takes any: {told}",
            hint="a picture is float [batch, 3 or 1, height, width], or channels last; give arrays "
            "(an npz file with one for each input)",
        )
    if place.path.is_file():
        raise UsageError(
            f"--data {place.path}: is one picture", hint="name a folder of them, a hundred or more"
        )
    found = _split_pictures(place)
    folders = {name.split("/")[-2] for name in place.files if "/" in name}
    depth = 1 + (found.kind == "split")
    tidy = all(name.count("/") == depth for name in place.files) and len(folders) > 1
    what = f"{len(place.files)} pictures" + (f" in {len(folders)} folders" if tidy else "")
    return replace(
        found, what=what, kind="images", brings=(fed.spec.name,), pictures=True,
        classes=len(folders) if tidy else 0, labels="folders" if tidy else "",
    )  # fmt: skip


def _split_pictures(place: _Place) -> FoundData:
    """Divide pictures by folders that are called so, or by their names."""
    halves = [
        next((top for top in names if any(n.startswith(f"{top}/") for n in place.files)), None)
        for names in (FIRST, SECOND)
    ]
    if all(halves):
        parts = [
            _part({"path": f"{place.written}/{top}"}, sum(n.startswith(f"{top}/") for n in
                  place.files), most, place.batch)
            for top, most in zip(halves, (MOST_CALIBRATED, MOST_COMPARED), strict=True)
        ]  # fmt: skip
        return FoundData("", "split", parts[0], parts[1], ())
    divided = divide_by_name(place.files, place.batch)
    if divided is None:
        first = _part({"path": place.written}, len(place.files), MOST_CALIBRATED, place.batch)
        return FoundData("", "", first, None, ())
    (one, few), (other, rest) = divided
    first = _part({"path": f"{escape(place.written)}/{one}"}, few, MOST_CALIBRATED, place.batch)
    second = _part({"path": f"{escape(place.written)}/{other}"}, rest, MOST_COMPARED, place.batch)
    return FoundData(
        "", "", replace(first, remark="told apart by a letter of their names"), second, ()
    )


def _part(options: Mapping[str, Any], count: int, most: int, batch: int) -> Part:
    taken = min(count, most) // batch * batch
    if not taken:
        raise UsageError(
            f"{options['path']}: holds {count} samples, and the model takes {batch} at once",
            hint="put more there, or export the model with an open batch",
        )
    return Part({**options, **({"count": taken} if taken < count else {})}, taken)


def _read_arrays(place: _Place) -> FoundData:
    files = [place.path] if place.path.is_file() else [place.path / name for name in place.files]
    names = ["" if place.path.is_file() else f"/{name}" for name in place.files]
    chosen = _choose_arrays([file.stem.lower() for file in files])
    if chosen is None:
        raise UsageError(
            f"--data {place.path}: holds {len(files)} files of arrays, and which are for what?",
            hint="name one of them, or call two of them calib.npz and eval.npz",
        )
    parts = []
    keys: tuple[str, ...] = ()
    labels = ""
    for index, most in zip(chosen, (MOST_CALIBRATED, MOST_COMPARED), strict=False):
        keys, labels, count = _look_at_arrays(files[index], place.fed)
        options: dict[str, Any] = {"path": place.written + names[index]}
        if files[index].suffix.lower() == ".npy":
            options["input"] = keys[0]
        if labels:
            options["labels"] = labels
        parts.append(_part(options, count, most, place.batch))
    what = f"{len(chosen)} file{'s' if len(chosen) > 1 else ''} of arrays"
    second = parts[1] if len(parts) > 1 else None
    return FoundData(what, "arrays", parts[0], second, keys, labels=labels)


def _choose_arrays(stems: Sequence[str]) -> tuple[int, ...] | None:
    """Return which file is calibrated on, and which compared on."""
    found = [
        next((at for at, stem in enumerate(stems) if any(word in stem for word in words)), None)
        for words in (FIRST, SECOND)
    ]
    if found[0] is not None and found[1] is not None:
        return found[0], found[1]
    return tuple(range(len(stems))) if len(stems) <= len(found) else None


def _look_at_arrays(path: Path, fed: Sequence[FedInput]) -> tuple[tuple[str, ...], str, int]:
    """Return the inputs that a file feeds, its array of labels, and how many samples it has.

    Raises:
        UsageError: its arrays are for no input of the model.
        StepInputError: it cannot be read.
    """
    from trtbuild.data.arrays import describe_array_file

    shapes = describe_array_file(path)
    inputs = [each.spec.name for each in fed]
    count = next((shape[0] for shape in shapes.values() if shape), 0)
    if path.suffix.lower() == ".npy":
        return (_guess_input(next(iter(shapes.values())), fed),), "", count
    brings = tuple(name for name in inputs if name in shapes)
    others = [name for name in shapes if name not in inputs]
    if not brings:
        raise UsageError(
            f"--data {path}: its arrays are {', '.join(shapes) or 'none'}, and the model's inputs "
            f"{', '.join(inputs)}",
            hint="save an array for each input by its name: numpy.savez(path, NAME=...)",
        )
    labels = next((name for name in others if name.lower() in _LABELS), "")
    strange = [name for name in others if name != labels]
    if strange:
        raise UsageError(
            f"--data {path}: its array `{strange[0]}` is for no input: {', '.join(inputs)}",
            hint="leave it out of the file, or call it `labels` if it is that",
        )
    return brings, labels, count


def _guess_input(shape: Sequence[int], fed: Sequence[FedInput]) -> str:
    fitting = [each for each in fed if len(each.spec.shape) == len(shape)]
    return (fitting or list(fed))[0].spec.name


Reader = Callable[[_Place], FoundData]
READERS: tuple[tuple[frozenset[str], Reader], ...] = (
    (frozenset({".npz", ".npy"}), _read_arrays),
    (SUFFIXES, _read_pictures),
)
"""What ends in what, and who reads it; the first whose files there are is taken."""
