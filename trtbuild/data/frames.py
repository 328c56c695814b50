"""Which frames of a video are wanted, and their pixels; by PyAV."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.frozen import frozen
from trtbuild.core.regular_files import open_regular
from trtbuild.core.words import quote_whole
from trtbuild.data.pixels import MOST_PIXELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.data.video import Video

__all__ = ["Frame", "choose_frames", "find_rate", "read_frames"]

USUAL_RATE = Fraction(25)
"""Frames a second, of what does not say."""
MEND = "replace the file, or take it out of the data"


@frozen
class Frame:
    """A decoded frame, in whatever colours its video has."""

    name: str
    image: Any
    """PyAV's own."""

    def make_picture(self) -> NDArray[np.uint8]:
        """Return it upright, in RGB: [height, width, 3].

        By FFmpeg's swscale, told to reckon alike on every processor.
        """
        import numpy as np
        from av.video.reformatter import Interpolation as Flags

        exact = Flags.BILINEAR | Flags.ACCURATE_RND | Flags.FULL_CHR_H_INT | Flags.BITEXACT
        made = self.image.reformat(format="rgb24", interpolation=exact)
        pixels: NDArray[np.uint8] = made.to_ndarray()
        turns = round(self.image.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def choose_frames(how: Video, files: Sequence[Path]) -> list[Sequence[int] | None]:
    """Return which frames of each video to take: numbers among those that it offers, None for all.

    Raises:
        StepInputError: there are too few, or a video cannot be read.
    """
    if how.takes_all:
        return [None] * len(files)
    offered = [_count(how, path) for path in files]
    where = files[0].name if len(files) == 1 else f"{len(files)} videos"
    try:
        chosen = how.choose(sum(offered), where=where, unit="frame")
    except MissingFile as error:
        raise StepInputError(error.message, hint=error.hint) from None
    found: list[Sequence[int] | None] = []
    before = 0
    for length in offered:
        found.append([index - before for index in chosen if before <= index < before + length])
        before += length
    return found


def read_frames(
    how: Video, path: Path, wanted: Sequence[int] | None, *, threads: int
) -> Iterator[Frame]:
    """Yield the wanted frames of a video in the order in which they are shown.

    Raises:
        StepInputError: it cannot be decoded, or holds fewer frames than it says.
    """
    if wanted is not None and not wanted:
        return
    left = None if wanted is None else set(wanted)
    offered = 0
    with _open(path) as (container, stream):
        stream.thread_type, stream.codec_context.thread_count = "AUTO", max(1, threads)
        for number, (seconds, image) in enumerate(_decode(how, path, container, stream)):
            if number % how.stride:
                continue
            if left is None or offered in left:
                yield Frame(f"{path.name}[{seconds:.3f} s]", image)
            if left is not None:
                left.discard(offered)
                if not left:
                    return
            offered += 1
    if offered == 0:
        raise StepInputError(
            f"{path}: has no frame {_tell_span(how)}", hint="look at `start` and `end`, or at it"
        )
    if left:
        raise StepInputError(
            f"{path}: {offered} frames can be decoded, and its index promises {max(left) + 1} or "
            "more",
            hint="it is cut short, or made so: write it again with `ffmpeg -i`",
        )


def find_rate(path: Path) -> Fraction:
    """Return a video's frames a second, on average; 25 where it does not say.

    Raises:
        MissingFile: it is not there.
        StepInputError: it cannot be read.
    """
    open_regular(path).close()
    with _open(path) as (_, stream):
        return Fraction(stream.average_rate or USUAL_RATE)


def _decode(how: Video, path: Path, container: Any, stream: Any) -> Iterator[tuple[float, Any]]:
    """Yield each frame between `start` and `end`, and when it is shown."""
    first = float((stream.start_time or 0) * stream.time_base)
    seconds = 0.0
    for image in container.decode(stream):
        seconds = seconds if image.time is None else image.time - first
        if how.end is not None and seconds >= how.end:
            return
        if image.is_corrupt:
            raise StepInputError(f"{path}: the frame at {seconds:.3f} s is corrupt", hint=MEND)
        if seconds >= how.start:
            yield seconds, image


def _count(how: Video, path: Path) -> int:
    """Return how many frames a video offers, by its packets: nothing is decoded."""
    with _open(path) as (container, stream):
        first = float((stream.start_time or 0) * stream.time_base)
        times = [
            float(packet.pts * stream.time_base) - first
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size
        ]
    end = float("inf") if how.end is None else how.end
    inside = sum(how.start <= seconds < end for seconds in times)
    return -(-inside // how.stride)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open a video and its first stream of pictures; what FFmpeg says against it is one error."""
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise StepInputError(f"{path}: holds no pictures, only sound", hint=MEND)
            stream = container.streams.video[0]
            if stream.width * stream.height > MOST_PIXELS:
                told = f"claims {stream.width}x{stream.height} pixels a frame"
                raise StepInputError(f"{path}: {told}", hint=MEND)
            yield container, stream
    except av.error.FFmpegError as error:
        told = quote_whole(error.strerror or str(error))
        raise StepInputError(f"{path}: the video is corrupt or cut short: {told}", hint=MEND) from (
            error
        )


def _tell_span(how: Video) -> str:
    end = "its end" if how.end is None else f"{how.end:g} s"
    return f"from {how.start:g} s to {end}"
