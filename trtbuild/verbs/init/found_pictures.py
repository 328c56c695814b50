"""Pictures in folders, or as YOLO and COCO describe them; and videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.regular_files import read_regular
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
    refuse,
)

STRIDE = 10
"""Of the frames of a video: neighbours are much alike."""
__all__ = ["read_coco", "read_pictures", "read_videos", "read_yolo"]


def read_pictures(place: Place) -> FoundData:
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
    split = second is not None and not first.remark
    folders = {name.split("/")[-2] for name in place.files if "/" in name}
    tidy = all(name.count("/") == 1 + split for name in place.files) and len(folders) > 1
    what = f"{len(place.files)} pictures" + (f" in {len(folders)} folders" if tidy else "")
    return FoundData(
        what,
        "images",
        first,
        second,
        (taken,),
        pictures=True,
        classes=len(folders) if tidy else 0,
        labels="folders" if tidy else "",
    )


def read_yolo(place: Place) -> FoundData | None:
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


def _write_yolo(place: Place, written: str, told: dict[str, Any]) -> FoundData:
    taken = _find_input(place, "pictures")
    splits = [
        next((split for split in names if told.get(split)), None) for names in (FIRST, SECOND)
    ]
    parts = [
        _take_split(place, written, split, most)
        for split, most in zip(splits, (MOST_CALIBRATED, MOST_COMPARED), strict=True)
        if split is not None
    ]
    what = f"the data set that {written} describes"
    second = parts[1] if len(parts) > 1 else None
    return FoundData(what, "yolo", parts[0], second, (taken,), pictures=True, boxes=True)


def _take_split(place: Place, written: str, split: str, most: int) -> Part:
    from trtbuild.data.yolo import DataYolo

    options = {"path": written, "split": split}
    told = {"kind": "yolo", **options, "preprocess": {}}
    source = DataYolo.model_validate_json(json.dumps(told))
    return make_part(
        options, len(source.list_pictures(place.base.absolute()).names), most, place.batch
    )


def read_coco(place: Place) -> FoundData | None:
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
        if named:
            found[at] = (_join(place, name), len(named), _find_folder(place, file, named[0]))
    if not found:
        return None
    taken = _find_input(place, "pictures")
    parts = [
        make_part({"path": path, "pictures": pictures}, count, most, place.batch)
        for (_, (path, count, pictures)), most in zip(
            sorted(found.items()), (MOST_CALIBRATED, MOST_COMPARED), strict=False
        )
    ]
    second = parts[1] if len(parts) > 1 else None
    what = "a data set as COCO annotates it"
    return FoundData(what, "coco", parts[0], second, (taken,), pictures=True, boxes=True)


def _find_folder(place: Place, file: Path, picture: str) -> str:
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


def read_videos(place: Place) -> FoundData:
    """Read videos: several are parted by their names, one by its middle.

    Raises:
        UsageError: no input takes pictures.
        MissingDependency: PyAV is not installed.
        StepInputError: a video cannot be opened.
    """
    taken = _find_input(place, "videos")
    every = {"stride": STRIDE}
    parts: list[Part | None]
    if len(place.files) > 1:
        parts = [
            part and _without_count(part) for part in divide_files(place._replace(batch=1), every)
        ]
    else:
        path = _join(place, place.files[0])
        file = place.path if place.files[0] == "." else place.path / place.files[0]
        middle = round(_measure(file) / 2, 2)
        parts = [Part({"path": path, **every, end: middle}, 0) for end in ("end", "start")]
    what = f"{len(place.files)} video{'s' if len(place.files) > 1 else ''}, every tenth frame"
    first, second = parts
    assert first is not None  # noqa: S101  # there is one at least
    return FoundData(what, "video", first, second, (taken,), pictures=True)


def _without_count(part: Part) -> Part:
    return Part({k: v for k, v in part.options.items() if k != "count"}, 0, part.remark)


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


def _find_input(place: Place, what: str) -> str:
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


def _join(place: Place, name: str) -> str:
    return place.written if name == "." else f"{place.written}/{name}"
