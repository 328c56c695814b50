"""Frames from a video, a folder of pictures, a camera, or a program."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import MissingFile, StepInputError, UsageError
from trtbuild.core.words import quote_whole
from trtbuild.pipeline.handed_on import demand_sound
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.load import LoadedPipeline
from trtbuild.pipeline.schema import FrameSource

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Frames", "open_frames", "take_frames"]

Frames = Iterable["Item | np.ndarray"] | queue.Queue[Any]
"""What a program gives: items, or pictures (uint8 RGB [height, width, 3]); of a queue, to None."""

Named = tuple[str, "np.ndarray"]
_DECODING_THREADS = 2
_LOOK_SECONDS = 0.1
"""How often it is looked whether a pipeline has ended whose queue gives nothing."""


def take_frames(frames: Frames, ended: Callable[[], bool]) -> Iterator[Item]:
    """Yield what a program gives as items, as long as the pipeline has not `ended`.

    Raises:
        StepInputError: one is no picture.
    """
    given = _drain(frames, ended) if isinstance(frames, queue.Queue) else frames
    for number, each in enumerate(given):
        if isinstance(each, Item):
            demand_sound(each, f"frame {number}")
            yield each
            continue
        if getattr(each, "dtype", None) != "uint8" or each.shape[2:] != (3,):
            raise StepInputError(
                f"frame {number} is no picture: {type(each).__name__} "
                f"{getattr(each, 'dtype', '')} {list(getattr(each, 'shape', []))}",
                hint="give uint8 RGB [height, width, 3], or an Item",
            )
        yield Item(number, f"frame {number}", each)


def _drain(frames: queue.Queue[Any], ended: Callable[[], bool]) -> Iterator[Any]:
    while not ended():
        with contextlib.suppress(queue.Empty):
            found = frames.get(timeout=_LOOK_SECONDS)
            if found is None:
                return
            yield found


def open_frames(
    loaded: LoadedPipeline, wait: Callable[[float], object] = time.sleep
) -> Iterator[Item]:
    """Yield the frames of a pipeline's source, at its rate where it names one.

    `wait` is given the seconds until the next one is due, and may return before.

    Raises:
        UsageError: they come from a program.
        MissingFile: it is not there.
        StepInputError: it cannot be decoded.
        MissingDependency: PyAV, or Pillow, is not installed.
    """
    source = loaded.pipeline.source
    if source.kind == "queue":
        raise UsageError(
            f"{loaded.file}: its frames come from a program (`kind: queue`)",
            hint="trtbuild.api.run_pipeline(FILE, frames=QUEUE); or name a video or a folder",
        )
    begun, number = time.monotonic(), 0
    for _ in range(source.repeat):
        for name, picture in _READERS[source.kind](source, loaded.base / source.path):
            if source.rate is not None:
                wait(max(0.0, begun + number / source.rate - time.monotonic()))
            yield Item(number, name, picture)
            number += 1


def _read_video(_: FrameSource, path: Path) -> Iterator[Named]:
    from trtbuild.core.regular_files import open_regular
    from trtbuild.data.extras import load_extra
    from trtbuild.data.frames import read_frames
    from trtbuild.data.preprocess import Preprocess
    from trtbuild.data.video import Video

    load_extra("av", "video")
    open_regular(path, hint="`path` is relative to the pipeline's file").close()
    how = Video(kind="video", path=str(path.absolute()), preprocess=Preprocess())
    for frame in read_frames(how, path, None, threads=_DECODING_THREADS):
        yield frame.name, frame.make_picture()


def _read_folder(_: FrameSource, path: Path) -> Iterator[Named]:
    import numpy as np

    from trtbuild.core.regular_files import read_regular
    from trtbuild.data import pixels
    from trtbuild.data.picture_files import is_picture

    files = (
        sorted(each for each in path.rglob("*") if is_picture(each.name)) if path.is_dir() else []
    )
    if not files:
        told = "holds no picture" if path.is_dir() else "there is no such folder"
        raise MissingFile(f"source: {path}: {told}", hint="is it the folder that is meant?")
    for file in files:
        name = file.relative_to(path).as_posix()
        image = pixels.decode_image(read_regular(file), name)
        yield name, np.asarray(pixels.convert_color_mode(image, "RGB", name))


def _read_camera(source: FrameSource, _: Path) -> Iterator[Named]:
    from trtbuild.data.extras import load_extra

    av = load_extra("av", "video")
    try:
        with av.open(source.path, format=source.format) as container:
            for number, frame in enumerate(container.decode(video=0)):
                yield f"frame {number}", frame.to_ndarray(format="rgb24")
    except (OSError, ValueError) as error:  # PyAV's errors are both
        raise StepInputError(
            f"source: camera {source.path}: {quote_whole(str(error))}",
            hint="is it there, and `format` FFmpeg's word for it?",
        ) from None


_READERS: dict[str, Callable[[FrameSource, Path], Iterator[Named]]] = {
    "video": _read_video,
    "folder": _read_folder,
    "camera": _read_camera,
}
