"""Arrays: one file, two, or a file a sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.found_data import (
    FIRST,
    MOST_CALIBRATED,
    MOST_COMPARED,
    SECOND,
    FoundData,
    Part,
    Place,
    divide_files,
    make_part,
)

__all__ = ["read_arrays"]

_LABELS = ("label", "labels", "target", "targets", "y", "class", "classes")


def read_arrays(place: Place) -> FoundData:
    """Read a file of arrays, two of them, or a folder with a file for each sample.

    Raises:
        UsageError: they are for no input, or it is not known which are for what.
        StepInputError: one cannot be read.
    """
    files = [place.path if name == "." else place.path / name for name in place.files]
    names = ["" if name == "." else f"/{name}" for name in place.files]
    chosen = _choose_arrays([file.stem.lower() for file in files])
    if chosen is None:
        return _read_one_a_file(place, files)
    parts = []
    keys: tuple[str, ...] = ()
    labels = ""
    for index, most in zip(chosen, (MOST_CALIBRATED, MOST_COMPARED), strict=False):
        keys, labels, count = _look_at_arrays(files[index], place.fed)
        options: dict[str, Any] = {"path": place.written + names[index]}
        options |= _name(files[index], keys, labels)
        parts.append(make_part(options, count, most, place.batch))
    what = f"{len(chosen)} file{'s' if len(chosen) > 1 else ''} of arrays"
    second = parts[1] if len(parts) > 1 else None
    return FoundData(what, "arrays", parts[0], second, keys, labels=labels)


def _read_one_a_file(place: Place, files: Sequence[Path]) -> FoundData:
    """Read a folder of files, each of them one sample, or each of many."""
    from trtbuild.data.arrays import describe_array_file

    keys, labels, count = _look_at_arrays(files[0], place.fed)
    shapes = describe_array_file(files[0])
    (fed,) = (each for each in place.fed if each.spec.name == keys[0])
    axes = len(shapes.get(keys[0], next(iter(shapes.values()))))
    alone = axes < len(fed.spec.shape) or count == 1
    named = _name(files[0], keys, labels)
    first, second = divide_files(place, {**({"one_a_file": True} if alone else {}), **named})
    if not alone:  # how many samples there are shows in reading them all
        first = _without_count(first)
        second = None if second is None else _without_count(second)
    what = f"{len(files)} files of arrays" + (", a sample each" if alone else "")
    return FoundData(what, "arrays", first, second, keys, labels=labels)


def _without_count(part: Part) -> Part:
    return Part({k: v for k, v in part.options.items() if k != "count"}, 0, part.remark)


def _name(file: Path, keys: Sequence[str], labels: str) -> dict[str, Any]:
    named: dict[str, Any] = {"input": keys[0]} if file.suffix.lower() == ".npy" else {}
    return named | ({"labels": labels} if labels else {})


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
