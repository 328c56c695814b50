"""What becomes of frames in the end: lines of JSON, and a video that is drawn on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trtbuild.core.errors import NotWritable, UsageError
from trtbuild.core.files import replace_whole
from trtbuild.data.frames import USUAL_RATE, find_rate
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.load import LoadedPipeline
from trtbuild.pipeline.overlay import draw_item
from trtbuild.verbs.running.drawing import FORMATS, VideoFile

if TYPE_CHECKING:
    from trtbuild.verbs.running.answers import Answer

__all__ = ["Sink", "describe_item", "open_results"]


class Sink(Protocol):
    """Takes frames in their order."""

    def add(self, item: Item) -> None:
        """Take a frame."""


@contextlib.contextmanager
def open_results(loaded: LoadedPipeline) -> Iterator[list[Sink]]:
    """Yield what a pipeline's results are written by; files take their places when all is done.

    Raises:
        NotWritable: one cannot be written.
        UsageError: a video's name does not end as one that can be written.
        MissingFile, StepInputError: the source is a video that is not there, or cannot be read.
    """
    results, base = loaded.pipeline.results, loaded.base
    with contextlib.ExitStack() as stack:
        sinks: list[Sink] = []
        if results.json_lines is not None:
            with _say_unwritable(base / results.json_lines) as path:
                part = stack.enter_context(replace_whole(path))
                sinks.append(_Lines(stack.enter_context(part.open("w", encoding="utf-8"))))
        if results.video is not None:
            path = base / results.video
            if path.suffix.lower() not in FORMATS:
                raise UsageError(
                    f"results: {path.name}: is no video that can be written",
                    hint=f"let it end in {', '.join(FORMATS)}",
                )
            rate = _find_rate(loaded)
            with _say_unwritable(path):
                sinks.append(_Drawn(stack.enter_context(VideoFile(path, rate))))
        yield sinks


@contextlib.contextmanager
def _say_unwritable(path: Path) -> Iterator[Path]:
    try:
        yield path
    except OSError as error:
        raise NotWritable(
            f"results: {path}: cannot be written: {error.strerror or error}",
            hint="name another place",
        ) from error


def _find_rate(loaded: LoadedPipeline) -> Fraction:
    source = loaded.pipeline.source
    if source.rate is not None:
        return Fraction(source.rate).limit_denominator(1001)
    return find_rate(loaded.base / source.path) if source.kind == "video" else USUAL_RATE


class _Lines:
    def __init__(self, file: Any) -> None:
        self._file = file

    def add(self, item: Item) -> None:
        self._file.write(_write_line(describe_item(item)) + "\n")


class _Drawn:
    def __init__(self, video: VideoFile) -> None:
        self._video = video

    def add(self, item: Item) -> None:
        self._video.add(draw_item(item))


def _write_line(told: Any) -> str:
    """Return JSON; `null` for what is no number (NaN, infinity), for which JSON has no word."""
    try:
        return json.dumps(told, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(told), parse_constant=lambda _: None))


def describe_item(item: Item) -> dict[str, Any]:
    """Return what stages say of a frame, as far as JSON has words for it."""
    said = {name: [_describe(each) for each in answers] for name, answers in item.answers.items()}
    values = {name: value for name, value in item.values.items() if _is_plain(value)}
    cut = {
        name: [place and [round(x, 2) for x in place] for place in places]
        for name, places in item.placed.items()
        if any(place not in {None, item.whole} for place in places)
    }
    return {
        "frame": item.number,
        "name": item.name,
        **said,
        **({"places": cut} if cut else {}),
        **({"values": values} if values else {}),
    }


def _describe(answer: Answer) -> Any:
    if answer.boxes is not None:
        return [
            {"box": [round(x, 2) for x in each.corners], "class": each.name or each.number,
             "score": round(each.score, 4)}
            for each in answer.boxes
        ]  # fmt: skip
    if answer.classes:
        return [
            {"class": each.name or each.number, "score": round(each.score, 4)}
            for each in answer.classes
        ]
    return {name: list(each.shape) for name, each in answer.outputs.items()}


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
