"""Picture files, decoded and preprocessed as they are needed: what all kinds of them share."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.frozen import frozen
from trtbuild.core.options import NonEmpty
from trtbuild.core.regular_files import read_regular
from trtbuild.data import pixels
from trtbuild.data.base import Choice, Sample
from trtbuild.data.preprocess import Preprocess
from trtbuild.data.truths.base import Labelling, tells_classes

__all__ = ["FoundPictures", "PictureFiles", "finish_picture", "is_picture"]

MOST_BYTES = 1 << 30
"""As much as the largest picture that is decoded takes without compression."""


@frozen
class FoundPictures:
    """Where pictures lie, before any is chosen."""

    root: Path
    names: list[str]
    """The path of each below the root."""
    where: str
    """The place that the recipe names, for messages."""


class PictureFiles(Choice):
    """Files of one picture each."""

    captured: ClassVar[Literal[False]] = False
    caveats: ClassVar[tuple[str, ...]] = ()

    input: NonEmpty = "input"
    """The model input that takes the picture."""
    preprocess: Preprocess
    """How a picture becomes the array that the model takes."""

    def list_pictures(self, base: Path) -> FoundPictures:
        """Return all the pictures there are, in order.

        Raises:
            MissingFile, StepInputError: there are none, or what should name them is not there.
        """
        raise NotImplementedError

    def find_label_kind(self) -> Labelling:
        """Return what says the labels: a kind of label files, `folders`, or None."""
        return None

    def find_class_names(self, base: Path) -> tuple[str, ...]:  # noqa: ARG002  # most know none
        """Return the names of the classes, in the order of the model's scores, where they are told.

        Raises:
            MissingFile, StepInputError: they should be, and are not.
        """
        return ()

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the chosen pictures, in order.

        Raises:
            MissingFile: there is no such place, or it holds fewer pictures than `count`.
        """
        found = self.list_pictures(base)
        return tuple(found.root / name for name in self._choose(found))

    def find_labels(self, base: Path) -> tuple[int, ...]:  # noqa: ARG002  # most are no classes
        """Return the class of each chosen picture, where labels are classes; none elsewhere.

        Raises:
            MissingFile, StepInputError: they should be told, and are not.
        """
        return ()

    def find_names(self, base: Path) -> tuple[str, ...]:
        """Return the path of each chosen picture below their root.

        Raises:
            MissingFile: as `find_files`.
        """
        return tuple(self._choose(self.list_pictures(base)))

    def find_label_files(self, base: Path) -> dict[str, Path]:
        """Return the files of labels that are no classes, each by a name that is the same anywhere.

        Raises:
            MissingFile, StepInputError: one is not there, or two could be meant.
        """
        kind = self.find_label_kind()
        if kind is None or tells_classes(kind):
            return {}
        return dict(kind.find_files(base, self.find_names(base)))

    def choose_indexes(self, found: FoundPictures) -> Sequence[int]:
        """Return which of the pictures to take.

        Raises:
            MissingFile: there are too few.
        """
        return self.choose(len(found.names), where=found.where, unit="picture")

    def _choose(self, found: FoundPictures) -> list[str]:
        return [found.names[index] for index in self.choose_indexes(found)]

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the pictures in order; up to `threads` are decoded at once, ahead of the reader.

        Raises:
            StepInputError: a picture cannot be read, decoded or preprocessed; says which and why.
        """
        return self._read(files, self.finish, threads)

    def decode(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the pixels that the model sees of each picture, before they are normalized.

        Raises:
            StepInputError: as `samples`.
        """
        return self._read(files, lambda sample: sample, threads)

    def finish(self, sample: Sample) -> Sample:
        """Normalize the pixels of a picture."""
        return finish_picture(sample, self.input, self.preprocess)

    def _read(
        self, files: Sequence[Path], finish: Callable[[Sample], Sample], threads: int
    ) -> Iterator[Sample]:
        import numpy as np  # noqa: F401  # imported here, and not by several threads at once
        from PIL import Image

        from trtbuild.data.prefetch import map_in_order

        Image.preinit()
        root = os.path.commonpath([path.parent for path in files]) if files else ""

        def load(path: Path) -> Sample:
            name = Path(os.path.relpath(path, root)).as_posix()
            try:
                data = read_regular(path, most_bytes=MOST_BYTES)
            except MissingFile as error:
                raise StepInputError(error.message, hint="is it still there?") from error
            seen = self.preprocess.shape_pixels(pixels.decode_image(data, name), name)
            frames = pixels.count_frames(data)
            return finish(Sample(name=name, arrays={self.input: seen}, frames=frames))

        return map_in_order(load, files, threads=threads)

    def expected(self, files: Sequence[Path]) -> int:
        """Return the number of pictures."""
        return len(files)

    def fact_names(self) -> tuple[str, ...]:
        """Decoding and resizing are Pillow's, arithmetic NumPy's."""
        return ("numpy", "pillow")


def finish_picture(sample: Sample, key: str, preprocess: Preprocess) -> Sample:
    """Return a sample whose pixels, those of the input `key`, are normalized."""
    return replace(sample, arrays={key: preprocess.normalize(sample.arrays[key])})


def is_picture(name: str) -> bool:
    """Tell whether a file's name ends as that of a picture that can be decoded."""
    return os.path.splitext(name)[1].lower() in pixels.SUFFIXES  # noqa: PTH122  # text is faster
