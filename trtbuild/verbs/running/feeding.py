"""Pictures, videos, text and sound that are fed by hand, through the recipe's own preprocessing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trtbuild.core.errors import UsageError
from trtbuild.data.audio import SUFFIXES as SOUNDS
from trtbuild.data.base import Sample
from trtbuild.data.picture_files import PictureFiles, is_picture
from trtbuild.data.preprocess import Preprocess
from trtbuild.data.text import SUFFIXES as TEXTS
from trtbuild.data.video import SUFFIXES as VIDEOS
from trtbuild.data.video import Video
from trtbuild.plan.nearest import suggest_nearest

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.data.base import DataSource
    from trtbuild.data.on_gpu.finishing import PictureFinishing
    from trtbuild.recipe.load import LoadedRecipe

__all__ = ["FedSample", "Feeding", "choose_feeding", "is_arrays"]

Sort = Literal["picture", "video", "text", "sound"]
MOST_FILES = 100_000
_CHOOSING = ("labels", "part", "count", "fraction", "shuffle")
"""Options of a data set that say which samples it takes, and what is known of them."""


@dataclass(frozen=True)
class FedSample:
    """A sample, and what it was made of where that can be shown."""

    sample: Sample
    picture: np.ndarray | None = None
    """uint8 RGB [height, width, 3], before any preprocessing."""
    text: str = ""


@dataclass(frozen=True)
class Feeding:
    """What is fed: files of one sort, read as the recipe reads such data."""

    sort: Sort
    source: DataSource
    files: tuple[Path, ...]
    names: tuple[str, ...]
    """Of the classes, where the recipe's data tells them."""

    @property
    def how(self) -> Preprocess | None:
        """How pictures are made what the model takes."""
        found = getattr(self.source, "preprocess", None)
        return found if isinstance(found, Preprocess) else None

    @property
    def stride(self) -> int:
        """Of so many frames of a video one is fed."""
        return self.source.stride if isinstance(self.source, Video) else 1

    def samples(self, *, leave: bool = False) -> Iterator[FedSample]:
        """Yield what is fed, in order; pictures may be left for a GPU to make ready.

        Raises:
            StepInputError: a file cannot be read, decoded or preprocessed.
            MissingDependency: what reads it is not installed.
        """
        if self.sort == "picture":
            yield from self._read_pictures(leave=leave)
        elif isinstance(self.source, Video):
            yield from self._read_frames(self.source, leave=leave)
        else:
            lines = _read_texts(self.files) if self.sort == "text" else {}
            for sample in self.source.samples(self.files):
                yield FedSample(sample, text=lines.get(sample.name, ""))

    def _read_pictures(self, *, leave: bool) -> Iterator[FedSample]:
        import numpy as np

        from trtbuild.core.regular_files import read_regular
        from trtbuild.data import pixels

        root = os.path.commonpath([path.parent for path in self.files])
        for path in self.files:
            name = path.relative_to(root).as_posix()
            image = pixels.decode_image(read_regular(path), name)
            shown = np.asarray(pixels.convert_color_mode(image, "RGB", name))
            yield self._make(name, image, shown, leave=leave and image.mode == "RGB")

    def _read_frames(self, source: Video, *, leave: bool) -> Iterator[FedSample]:
        from trtbuild.data.extras import load_extra
        from trtbuild.data.frames import choose_frames, read_frames

        load_extra("av", "video")
        chosen = choose_frames(source, self.files)
        for path, wanted in zip(self.files, chosen, strict=True):
            for frame in read_frames(source, path, wanted, threads=1):
                picture = frame.make_picture()
                yield self._make(frame.name, picture, picture, leave=leave)

    def _make(self, name: str, picture: Any, shown: np.ndarray, *, leave: bool) -> FedSample:
        how, source = self.how, self.source
        assert how is not None and isinstance(source, PictureFiles | Video)  # noqa: S101,PT018  # so made
        made: Any = self._finishing.leave(shown) if leave else how.apply(picture, name)
        return FedSample(Sample(name, {source.input: made}), picture=shown)

    @cached_property
    def _finishing(self) -> PictureFinishing:
        from trtbuild.data.on_gpu.finishing import PictureFinishing

        assert self.how is not None  # noqa: S101  # of pictures
        return PictureFinishing(self.how)


def is_arrays(path: Path) -> bool:
    """Tell whether a path is an npz file: whole arrays for the model, as they are."""
    return path.suffix == ".npz" or (not path.exists() and not path.suffix)


def choose_feeding(loaded: LoadedRecipe, path: Path, data: str) -> Feeding:
    """Read a path as the recipe reads its data, or the data set `data` of it.

    Raises:
        UsageError: there is no such path or data set, nothing there is known, or the recipe does
            not say how such a thing becomes what the model takes.
        MissingFile: what the recipe's data needs (a tokenizer) is not here.
    """
    name = _choose_data(loaded, data)
    own: Any = loaded.recipe.data[name]
    sort, base = _find_sort(path), loaded.file.parent.absolute()
    place = str(path.absolute())
    how = getattr(own, "preprocess", None)
    names = own.find_class_names(base) if hasattr(own, "find_class_names") else ()
    source: Any = None
    takes = _find_picture_input(own)
    if takes and sort in ("picture", "video") and isinstance(how, Preprocess):
        from trtbuild.data.images import Images

        shared: dict[str, Any] = {"path": place, "input": takes, "preprocess": how}
        source = (
            Images(kind="images", **shared)
            if sort == "picture"
            else Video(kind="video", stride=own.stride if isinstance(own, Video) else 1, **shared)
        )
    elif sort == "text" and own.kind == "text":
        source = own.model_copy(
            update={"path": place, "text": 0, **dict.fromkeys(("separator", "pair", *_CHOOSING))}
        )
    elif sort == "sound" and own.kind == "audio":
        source = own.model_copy(update={"path": place, **dict.fromkeys(_CHOOSING)})
    if source is None:
        raise UsageError(
            f"--input: {path}: is {_SAID[sort]}, and data `{name}` (`kind: {own.kind}`) does not "
            "say how such becomes what the model takes",
            hint="name another data set of the recipe: --data NAME; or give arrays: an npz file",
        )
    return Feeding(sort, source, source.find_files(base), tuple(names))


_SAID = {
    "picture": "a picture (or several)",
    "video": "a video",
    "text": "text",
    "sound": "sound",
}


def _find_picture_input(source: Any) -> str:
    """Return the input that takes a picture; empty where several may."""
    columns = getattr(source, "columns", {})
    return str(getattr(source, "input", next(iter(columns)) if len(columns) == 1 else ""))


def _choose_data(loaded: LoadedRecipe, asked: str) -> str:
    recipe = loaded.recipe
    if asked and asked not in recipe.data:
        raise UsageError(
            f"{loaded.file}: there is no data `{asked}`",
            hint=suggest_nearest(asked, list(recipe.data)),
        )
    compared = recipe.compare.data if recipe.compare is not None else None
    calibrated = recipe.quantization.data if recipe.quantization is not None else None
    found = asked or compared or calibrated or next(iter(recipe.data), "")
    if not found:
        raise UsageError(
            f"{loaded.file}: has no section `data`, which says how pictures or text become what "
            "the model takes",
            hint="give arrays: an npz file with an array for each input of the model",
        )
    return found


def _find_sort(path: Path) -> Sort:
    """Tell what lies at a path: of a folder, what most of its files are; of as many, by name.

    Raises:
        UsageError: nothing is there, or nothing that is known.
    """
    hint = "--input takes an npz file, a picture, a video, text (.txt), sound, or a folder of these"
    if not path.exists():
        raise UsageError(f"--input: {path}: there is no such file", hint=hint)
    if not path.is_dir():
        found = _tell_sort(path)
        if found is None:
            raise UsageError(f"--input: {path}: is of no known kind", hint=hint)
        return found
    counts = Counter(
        sort
        for _, each in zip(range(MOST_FILES), path.rglob("*"), strict=False)
        if (sort := _tell_sort(each)) is not None
    )
    if not counts:
        raise UsageError(f"--input: {path}: holds no file of a known kind", hint=hint)
    return min(counts, key=lambda sort: (-counts[sort], sort))


def _tell_sort(path: Path) -> Sort | None:
    suffix = path.suffix.lower()
    if is_picture(path.name):
        return "picture"
    sorts: tuple[tuple[frozenset[str], Sort], ...] = (
        (VIDEOS, "video"),
        (TEXTS, "text"),
        (SOUNDS, "sound"),
    )
    return next((sort for suffixes, sort in sorts if suffix in suffixes), None)


def _read_texts(files: tuple[Path, ...]) -> dict[str, str]:
    """Return each line by the name that its sample has."""
    return {
        f"{path.name}:{number}": line.strip()
        for path in files
        if path.suffix.lower() in TEXTS
        for number, line in enumerate(path.read_text("utf-8-sig", "replace").split("\n"), start=1)
    }
