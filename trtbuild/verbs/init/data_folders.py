"""What lies at the place that `--data` names, and how a recipe reads it: a row for each sort."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.data.audio import SUFFIXES as SOUNDS
from trtbuild.data.pixels import SUFFIXES as PICTURES
from trtbuild.data.text import SUFFIXES as TEXTS
from trtbuild.data.video import SUFFIXES as VIDEOS
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.found_arrays import read_arrays
from trtbuild.verbs.init.found_data import DataPlace, FoundData
from trtbuild.verbs.init.found_pictures import read_coco, read_pictures, read_videos, read_yolo
from trtbuild.verbs.init.found_sounds import read_sounds
from trtbuild.verbs.init.found_text import read_text
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.models import place_beside

__all__ = ["find_data"]

MOST_FILES = 200_000
"""More are not looked at: what there is shows by then."""


def find_data(path: Path, base: Path, fed: Sequence[FedInput], look: ModelLook) -> FoundData:
    """Say what lies at a place, and how it feeds a model.

    Raises:
        MissingFile: nothing lies there.
        UsageError: it is nothing that a recipe reads, or does not feed this model.
    """
    if not path.exists():
        raise MissingFile(f"{path}: no such file or folder", hint="--data names data to feed")
    batch = max((each.batch for each in fed), default=1)
    place = DataPlace(path, place_beside(path, base), _list(path), fed, batch, look, base)
    if not place.files:
        raise UsageError(f"--data {path}: is empty", hint="put samples there, or leave it out")
    for suffixes, read in READERS:
        mine = [name for name in place.files if _suffix(path, name) in suffixes]
        found = read(place._replace(files=mine)) if mine else None
        if found is not None:
            return found
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


Reader = Callable[[DataPlace], FoundData | None]
READERS: tuple[tuple[frozenset[str], Reader], ...] = (
    (frozenset({".yaml", ".yml"}), read_yolo),
    (frozenset({".json"}), read_coco),
    (frozenset({".npz", ".npy"}), read_arrays),
    (PICTURES, read_pictures),
    (VIDEOS, read_videos),
    (SOUNDS, read_sounds),
    (TEXTS, read_text),
)
"""What ends in what, and who reads it; the first that can is taken."""
