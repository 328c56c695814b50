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
    DataPlace,
    DataSplit,
    FoundData,
    divide_files,
    divide_samples,
    drop_count,
    make_part,
)

__all__ = ["read_arrays"]

TURNED = "a guess: files have channels at the other end than the model takes them"
_TURNS = ((2, 0, 1), (1, 2, 0))
"""Channels from the end to the front, and to the end."""
_LABELS = ("label", "labels", "target", "targets", "y", "class", "classes")


def read_arrays(place: DataPlace) -> FoundData:
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
    found = []
    keys: tuple[str, ...] = ()
    labels = ""
    for index in chosen:
        keys, labels, count = _look_at_arrays(files[index], place.fed)
        options: dict[str, Any] = {"path": place.written + names[index]}
        options |= _name(files[index], keys, labels) | _turn(files[index], keys, place.fed)
        found.append((options, count))
    turned = TURNED if "transpose" in found[0][0] else ""
    second: DataSplit | None
    if len(found) > 1:
        first = make_part(*found[0], MOST_CALIBRATED, place.batch, remark=turned)
        second = make_part(*found[1], MOST_COMPARED, place.batch)
    else:
        first, second = divide_samples(*found[0], place.batch, turned)
    what = f"{len(chosen)} file{'s' if len(chosen) > 1 else ''} of arrays"
    return FoundData(what, "arrays", first, second, keys, labels=labels)


def _read_one_a_file(place: DataPlace, files: Sequence[Path]) -> FoundData:
    """Read a folder of files, each of them one sample, or each of many."""
    from trtbuild.data.arrays import describe_array_file

    keys, labels, count = _look_at_arrays(files[0], place.fed)
    held = describe_array_file(files[0])
    (fed,) = (each for each in place.fed if each.spec.name == keys[0])
    axes = len(held.get(keys[0], next(iter(held.values()))).shape)
    alone = axes < len(fed.spec.shape) or count == 1
    named = _name(files[0], keys, labels) | _turn(files[0], keys, place.fed, alone=alone)
    first, second = divide_files(place, {**({"one_a_file": True} if alone else {}), **named})
    if not alone:  # how many samples there are shows in reading them all
        first = drop_count(first)
        second = None if second is None else drop_count(second)
    if "transpose" in named:
        first = DataSplit(first.options, first.count, TURNED)
    what = f"{len(files)} files of arrays" + (", a sample each" if alone else "")
    return FoundData(what, "arrays", first, second, keys, labels=labels)


def _name(file: Path, keys: Sequence[str], labels: str) -> dict[str, Any]:
    named: dict[str, Any] = {"input": keys[0]} if file.suffix.lower() == ".npy" else {}
    return named | ({"labels": labels} if labels else {})


def _turn(
    file: Path, keys: Sequence[str], fed: Sequence[FedInput], *, alone: bool = False
) -> dict[str, Any]:
    """Return the `transpose` that brings channels to where the model takes them, if any has to.

    Raises:
        UsageError: samples are of a type or shape that the model does not take in any order.
    """
    from trtbuild.data.arrays import describe_array_file

    held = describe_array_file(file)
    found: dict[str, list[int]] = {}
    for each in fed:
        if each.spec.name not in keys:
            continue
        spec = held.get(each.spec.name, next(iter(held.values())))
        _demand_type(file, each, spec.dtype)
        sample = spec.shape if alone else spec.shape[1:]
        wanted = list(each.spec.shape)
        if len(sample) < len(wanted) and each.axis is not None:
            del wanted[each.axis]
        if len(sample) != len(wanted) or _fits(sample, wanted):
            continue
        found[each.spec.name] = _find_order(file, each, sample, wanted)
    return {"transpose": found} if found else {}


def _demand_type(file: Path, fed: FedInput, dtype: str) -> None:
    wanted = fed.spec.dtype
    if dtype == wanted:
        return
    bytes_for_floats = dtype == "uint8" and wanted.startswith("float")
    hint = f"save them so: array.astype('{wanted}')"
    if bytes_for_floats:
        hint += (
            ", scaled as the model was trained (mostly / 255); or let the engine take bytes: the "
            "fix `embed_preprocess`"
        )
    raise UsageError(
        f"--data {file}: its samples for `{fed.spec.name}` are {dtype}, and the model takes "
        f"{wanted}",
        hint=hint,
    )


def _fits(sample: Sequence[int | str], wanted: Sequence[int | str]) -> bool:
    pairs = zip(sample, wanted, strict=True)
    return all(isinstance(size, str) or own == size for own, size in pairs)


def _find_order(
    file: Path, fed: FedInput, sample: Sequence[int | str], wanted: Sequence[int | str]
) -> list[int]:
    before = len(sample) - len(_TURNS[0])
    for turn in _TURNS if fed.role == "picture" and before >= 0 else ():
        order = [*range(before), *(before + axis for axis in turn)]
        if _fits([sample[axis] for axis in order], wanted):
            return order
    raise UsageError(
        f"--data {file}: its samples are {list(sample)}, and `{fed.spec.name}` takes "
        f"[{', '.join(map(str, wanted))}]",
        hint="save them in the shape that the model takes, axis 0 of a file counting them",
    )


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

    shapes = {name: each.shape for name, each in describe_array_file(path).items()}
    inputs = [each.spec.name for each in fed]
    count = next((int(shape[0]) for shape in shapes.values() if shape), 0)
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


def _guess_input(shape: Sequence[int | str], fed: Sequence[FedInput]) -> str:
    fitting = [each for each in fed if len(each.spec.shape) == len(shape)]
    return (fitting or list(fed))[0].spec.name
