"""Frames of videos, decoded by PyAV and preprocessed as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.options import Location, NonEmpty
from trtbuild.data.base import Choice, Sample
from trtbuild.data.extras import load_extra
from trtbuild.data.file_search import find_by_suffix
from trtbuild.data.picture_files import finish_picture
from trtbuild.data.preprocess import Preprocess

if TYPE_CHECKING:
    from trtbuild.data.frames import Frame

__all__ = ["Video"]

SUFFIXES = frozenset(
    {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv"}
)
Seconds = Annotated[float, Field(ge=0)]


class Video(Choice):
    """Frames of a video, or of all videos in a folder one after the other; needs PyAV."""

    captured: ClassVar[Literal[False]] = False
    caveats: ClassVar[tuple[str, ...]] = ()

    kind: Literal["video"]
    path: Location
    """A video, a folder of videos, searched to the bottom, or a pattern (`clips/*.mp4`), in name
    order; relative to the recipe."""
    stride: Annotated[int, Field(gt=0)] = 1
    """Take every so many-th frame of each video, from the first at `start` on; what is left is
    what `count` and `fraction` choose from. Neighbours are much alike, and tell calibration
    little."""
    start: Seconds = 0.0
    """Where in each video to begin, in seconds."""
    end: Seconds | None = None
    """Where to stop, in seconds; this frame is not taken. By default at the end of the video."""
    input: NonEmpty = "input"
    """The model input that takes the frame."""
    preprocess: Preprocess
    """How a frame, turned upright and in RGB, becomes the array that the model takes."""

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.end is not None and not self.start < self.end:
            raise ValueError(f"`start` ({self.start:g} s) must lie before `end` ({self.end:g} s)")
        return self

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the videos.

        Raises:
            MissingFile: there is none.
        """
        return tuple(find_by_suffix(self.path, base, SUFFIXES, what="videos"))

    def find_labels(self, base: Path) -> tuple[int, ...]:  # noqa: ARG002  # frames have none
        """Return none."""
        return ()

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the frames in order; up to `threads` are preprocessed at once, ahead of the reader.

        Raises:
            MissingDependency: PyAV is not installed.
            StepInputError: a video cannot be read or decoded, or holds too few frames.
        """
        return self._read(files, self.finish, threads)

    def decode(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the pixels that the model sees of each frame, before they are normalized.

        Raises:
            MissingDependency, StepInputError: as `samples`.
        """
        return self._read(files, lambda sample: sample, threads)

    def finish(self, sample: Sample) -> Sample:
        """Normalize the pixels of a frame."""
        return finish_picture(sample, self.input, self.preprocess)

    def _read(
        self, files: Sequence[Path], finish: Callable[[Sample], Sample], threads: int
    ) -> Iterator[Sample]:
        from trtbuild.data.frames import choose_frames, read_frames
        from trtbuild.data.prefetch import map_in_order

        load_extra("av", "video")
        chosen = choose_frames(self, files)

        def frames() -> Iterator[Frame]:
            for path, wanted in zip(files, chosen, strict=True):
                yield from read_frames(self, path, wanted, threads=threads)

        def prepare(frame: Frame) -> Sample:
            seen = self.preprocess.shape_pixels(frame.make_picture(), frame.name)
            return finish(Sample(frame.name, {self.input: seen}))

        return map_in_order(prepare, frames(), threads=threads)

    def expected(self, files: Sequence[Path]) -> int:  # noqa: ARG002  # shows only in reading
        """Return `count`, or 0."""
        return self.count or 0

    def fact_names(self) -> tuple[str, ...]:
        """Decoding is PyAV's FFmpeg, resizing Pillow's, arithmetic NumPy's."""
        return ("av", "numpy", "pillow")
