"""FoundData: what lies at a place, in the one or two parts that a recipe reads it as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.model_look import ModelLook

__all__ = [
    "FIRST",
    "MOST_CALIBRATED",
    "MOST_COMPARED",
    "SECOND",
    "DataPlace",
    "DataSplit",
    "FoundData",
    "count_classes",
    "divide_files",
    "divide_samples",
    "drop_count",
    "find_halves",
    "make_part",
    "refuse",
]  # fmt: skip

MOST_CALIBRATED, MOST_COMPARED = 128, 500
FIRST = ("calib", "calibration", "train", "training")
SECOND = ("eval", "val", "valid", "validation", "test")


@dataclass(frozen=True)
class DataSplit:
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
    first: DataSplit
    second: DataSplit | None
    """What the comparison takes; None where what is there is one part that cannot be divided."""
    brings: tuple[str, ...]
    """The inputs that it has arrays for."""
    pictures: bool = False
    classes: int = 0
    """How many classes its folders tell; 0 where they tell none."""
    labels: str = ""
    """The array of labels, or `folders`."""
    boxes: bool = False
    """Whether it has boxes for its pictures."""


class DataPlace(NamedTuple):
    """Where data lies, and for which model."""

    path: Path
    written: str
    """As the recipe has it."""
    files: Sequence[str]
    """What lies there, hidden files left out, by paths below it; the file itself is `.`."""
    fed: Sequence[FedInput]
    batch: int
    """How many samples a run of the model takes at least."""
    look: ModelLook
    base: Path
    """The folder that the recipe will lie in."""


def divide_files(
    place: DataPlace, options: Mapping[str, Any] | None = None
) -> tuple[DataSplit, DataSplit | None]:
    """Divide files of one sample each: by folders that are called so, or into two parts.

    Raises:
        UsageError: there are fewer than the model takes at once.
    """
    halves = find_halves(place, options or {})
    if halves is not None:
        return halves
    return divide_samples({"path": place.written, **(options or {})}, len(place.files), place.batch)


def divide_samples(
    options: Mapping[str, Any], count: int, batch: int, remark: str = ""
) -> tuple[DataSplit, DataSplit | None]:
    """Divide so many samples into two parts; there is one where they are too few for two.

    Raises:
        UsageError: there are fewer than the model takes at once.
    """
    if count < 2 * batch:
        return make_part(options, count, MOST_CALIBRATED, batch, remark=remark), None
    first, second = (
        make_part({**options, "part": f"{number}/2"}, (count + 2 - number) // 2, most, batch)
        for number, most in ((1, MOST_CALIBRATED), (2, MOST_COMPARED))
    )
    return DataSplit(first.options, first.count, remark), second


def find_halves(place: DataPlace, more: Mapping[str, Any]) -> tuple[DataSplit, DataSplit] | None:
    """Return the files of two folders that are called so; None where there are no such.

    Raises:
        UsageError: there are fewer than the model takes at once.
    """
    halves = [
        next((top for top in names if any(n.startswith(f"{top}/") for n in place.files)), None)
        for names in (FIRST, SECOND)
    ]
    if not all(halves):
        return None
    first, second = (
        make_part(
            {"path": f"{place.written}/{top}", **more},
            sum(name.startswith(f"{top}/") for name in place.files),
            most,
            place.batch,
        )
        for top, most in zip(halves, (MOST_CALIBRATED, MOST_COMPARED), strict=True)
    )
    return first, second


def make_part(
    options: Mapping[str, Any], count: int, most: int, batch: int, *, remark: str = ""
) -> DataSplit:
    """Take so many samples, in whole batches, and no more than are worth their time.

    Raises:
        UsageError: there are fewer than the model takes at once.
    """
    taken = min(count, most) // batch * batch
    if not taken:
        raise UsageError(
            f"{options['path']}: holds {count} samples, and the model takes {batch} at once",
            hint="put more there, or export the model with an open batch",
        )
    limit = {"count": taken} if taken < count else {}
    return DataSplit({**options, **limit}, taken, remark)


def count_classes(files: Sequence[str], second: DataSplit | None) -> int:
    """Return how many classes the folders of files tell; 0 where some lie elsewhere."""
    halved = second is not None and "part" not in second.options  # by folders called train, val
    folders = {name.split("/")[-2] for name in files if "/" in name}
    tidy = all(name.count("/") == 1 + halved for name in files) and len(folders) > 1
    return len(folders) if tidy else 0


def drop_count(part: DataSplit) -> DataSplit:
    """Return a part whose samples show only in reading them all."""
    return DataSplit({k: v for k, v in part.options.items() if k != "count"}, 0, part.remark)


def refuse(place: DataPlace, what: str, hint: str) -> UsageError:
    """Return the error of data that feeds no input of the model; names these."""
    told = ", ".join(f"`{e.spec.name}` {e.spec.dtype} {list(e.spec.shape)}" for e in place.fed)
    return UsageError(
        f"--data {place.path}: holds {what}, and no input of the model takes any: {told}", hint=hint
    )
