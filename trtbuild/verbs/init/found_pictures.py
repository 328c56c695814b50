"""Pictures in folders, or as YOLO and COCO describe them; and videos."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.regular_files import read_regular
from trtbuild.verbs.init.found_data import (
    FIRST,
    MOST_CALIBRATED,
    MOST_COMPARED,
    SECOND,
    DataPlace,
    DataSplit,
    FoundData,
    count_classes,
    divide_files,
    divide_samples,
    drop_count,
    find_halves,
    make_part,
    refuse,
)
from trtbuild.verbs.init.splitting import divide_by_name

STRIDE = 10
"""Of the frames of a video: neighbours are much alike."""
__all__ = ["read_coco", "read_pictures", "read_videos", "read_yolo"]


def read_pictures(place: DataPlace) -> FoundData:
    """Read a folder of pictures; with a folder for each class, that is the label.

    Raises:
        UsageError: no input takes pictures, or there are too few.
    """
    taken = _find_input(place, "pictures")
    if place.path.is_file():
        raise UsageError(
            f"--data {place.path}: is one picture", hint="name a folder of them, a hundred or more"
        )
    first, second = divide_files(place)
    classes = count_classes(place.files, second)
    what = f"{len(place.files)} pictures" + (f" in {classes} folders" if classes else "")
    return FoundData(
        what,
        "images",
        first,
        second,
        (taken,),
        pictures=True,
        classes=classes,
        labels="folders" if classes else "",
    )


def read_yolo(place: DataPlace) -> FoundData | None:
    """Read what a `data.yaml` describes; None where no file is one.

    Raises:
        UsageError: no input takes pictures, or there are too few.
        MissingFile, StepInputError: what it describes is not there.
    """
    import yaml

    for name in place.files:
        file = place.path if name == "." else place.path / name
        try:
            told = yaml.safe_load(read_regular(file, most_bytes=1 << 22))
        except (yaml.YAMLError, UnicodeDecodeError, MissingFile, RecursionError):
            continue
        if isinstance(told, dict) and "names" in told and {"train", "val"} & told.keys():
            return _write_yolo(place, _join(place, name), told)
    return None


def _write_yolo(place: DataPlace, written: str, told: dict[str, Any]) -> FoundData:
    taken = _find_input(place, "pictures")
    splits = [
        split
        for names in (FIRST, SECOND)
        if (split := next((each for each in names if told.get(each)), None)) is not None
    ]
    pictures = [_list_split(place, written, split) for split in splits]
    first, *rest = ({"path": written, "split": split} for split in splits)
    second: DataSplit | None
    if rest and not set(pictures[0]) & set(pictures[1]):
        one = make_part(first, len(pictures[0]), MOST_CALIBRATED, place.batch)
        second = make_part(rest[0], len(pictures[1]), MOST_COMPARED, place.batch)
    else:
        why = f"`{splits[0]}` and `{splits[1]}` share pictures" if rest else ""
        one, second = divide_samples(first, len(pictures[0]), place.batch, why)
    what = f"the data set that {written} describes"
    return FoundData(what, "yolo", one, second, (taken,), pictures=True, boxes=True)


def _list_split(place: DataPlace, written: str, split: str) -> list[Path]:
    from trtbuild.data.yolo import DataYolo

    told = {"kind": "yolo", "path": written, "split": split, "preprocess": {}}
    source = DataYolo.model_validate_json(json.dumps(told))
    found = source.list_pictures(place.base.absolute())
    return [found.root / name for name in found.names]


def read_coco(place: DataPlace) -> FoundData | None:
    """Read what JSON files of COCO's format annotate; None where no file is one.

    Raises:
        UsageError: no input takes pictures, or it is not known where they lie.
    """
    found: dict[int, tuple[str, int, str]] = {}
    for name in place.files:
        file = place.path if name == "." else place.path / name
        try:
            told = json.loads(read_regular(file, most_bytes=1 << 29))
        except (ValueError, MissingFile, RecursionError):
            continue
        if not isinstance(told, dict) or not {"images", "annotations"} <= told.keys():
            continue
        words = file.stem.lower()
        at = next((i for i, names in enumerate((FIRST, SECOND)) if any(w in words for w in names)),
                  len(found))  # fmt: skip
        named = [each["file_name"] for each in told["images"] if "file_name" in each]
        if named and (at not in found or "instances" in words):  # of boxes, not captions or joints
            found[at] = (_join(place, name), len(named), _find_folder(place, file, named[0]))
    if not found:
        return None
    taken = _find_input(place, "pictures")
    sets = [
        ({"path": path, "pictures": pictures}, count)
        for _, (path, count, pictures) in sorted(found.items())
    ]
    second: DataSplit | None
    if len(sets) > 1:
        first = make_part(*sets[0], MOST_CALIBRATED, place.batch)
        second = make_part(*sets[1], MOST_COMPARED, place.batch)
    else:
        first, second = divide_samples(*sets[0], place.batch)
    what = "a data set as COCO annotates it"
    return FoundData(what, "coco", first, second, (taken,), pictures=True, boxes=True)


def _find_folder(place: DataPlace, file: Path, picture: str) -> str:
    """Return the folder that a picture's name relates to, as the recipe has it."""
    from trtbuild.verbs.init.models import place_beside

    around = (file.parent, file.parent.parent)
    for folder in (
        *around,
        *(each for top in around if top.is_dir() for each in sorted(top.iterdir())),
    ):
        for below in (folder, folder / file.stem.removeprefix("instances_")):
            if (below / picture).is_file():
                return place_beside(below, place.base)
    raise UsageError(
        f"--data {file}: annotates {picture}, which lies in no folder near it",
        hint="put the pictures beside the file, or write `kind: coco` by hand",
    )


def read_videos(place: DataPlace) -> FoundData:
    """Read videos: several are parted by their names, one by its middle.

    Raises:
        UsageError: no input takes pictures.
        MissingDependency: PyAV is not installed.
        StepInputError: a video cannot be opened.
    """
    taken = _find_input(place, "videos")
    every = {"stride": STRIDE}
    parts: Sequence[DataSplit | None]
    if len(place.files) > 1:
        parts = _divide_videos(place, every)
    else:
        path = _join(place, place.files[0])
        file = place.path if place.files[0] == "." else place.path / place.files[0]
        middle = round(_measure(file) / 2, 2)
        parts = [DataSplit({"path": path, **every, end: middle}, 0) for end in ("end", "start")]
    what = f"{len(place.files)} video{'s' if len(place.files) > 1 else ''}, every tenth frame"
    first, second = parts
    assert first is not None  # noqa: S101  # there is one at least
    return FoundData(what, "video", first, second, (taken,), pictures=True)


def _divide_videos(
    place: DataPlace, every: Mapping[str, Any]
) -> tuple[DataSplit, DataSplit | None]:
    """Divide videos, not their frames: by folders that are called so, or by their names."""
    halves = find_halves(place._replace(batch=1), every)
    if halves is not None:
        return drop_count(halves[0]), drop_count(halves[1])
    patterns = divide_by_name(place.files)
    if patterns is None:
        return DataSplit({"path": place.written, **every}, 0), None
    one, other = (
        DataSplit({"path": f"{escape(place.written)}/{pattern}", **every}, 0)
        for pattern, _ in patterns
    )
    return DataSplit(one.options, 0, "told apart by a letter of their names"), other


def _measure(file: Path) -> float:
    """Return how long a video is, in seconds."""
    from trtbuild.core.errors import StepInputError
    from trtbuild.data.extras import load_extra

    av = load_extra("av", "video")
    try:
        with av.open(str(file)) as container:
            return float(container.duration or 0) / 1e6
    except (av.FFmpegError, OSError) as error:
        raise StepInputError(f"{file}: cannot be opened as a video: {error}") from None


def _find_input(place: DataPlace, what: str) -> str:
    """Return the input that takes pictures.

    Raises:
        UsageError: there is none.
    """
    able = ("float32", "float16", "uint8")
    for each in place.fed:
        if each.role == "picture" and each.spec.dtype in able:
            return each.spec.name
    raise refuse(
        place,
        what,
        "a picture is float or uint8 [batch, 3 or 1, height, width], or channels last; give arrays "
        "(an npz file with one for each input)",
    )


def _join(place: DataPlace, name: str) -> str:
    return place.written if name == "." else f"{place.written}/{name}"
