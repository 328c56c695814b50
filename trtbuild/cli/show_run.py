"""How answers look in a terminal, as JSON, and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.cli.echo import echo
from trtbuild.core.errors import NotWritable, UsageError
from trtbuild.data.picture_files import is_picture
from trtbuild.verbs.running.answers import Answer, ClassMap, ScoredBox, ScoredClass, find_nearest

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.verbs.running.feeding import FedSample
    from trtbuild.verbs.running.run import SampleRuns

__all__ = ["describe_answers", "show_answers"]

MOST_NEAR = 3
_FIRST = 5
_MOST_SHARES = 10
Answered = tuple["FedSample", dict[str, Answer]]


def show_answers(runs: SampleRuns, output: Path | None) -> None:
    """Write what is answered of each sample, and what was drawn or kept of it."""
    kept: list[Answered] = []
    for fed, answers in _keep(runs, output):
        echo(fed.sample.name + (f": {fed.text}" if fed.text else ""))
        for side, answer in answers.items():
            for line in _tell(answer):
                echo(f"  {side:5} {line}" if side else f"  {line}")
        if any(answer.vector is not None for answer in answers.values()):
            kept.append((fed, answers))
    for side in runs.sides if kept else ():
        _show_nearest(side, kept)
    for side, runner in runs.sides.items():
        echo(f"ran {runner.describe({})}" if not side else f"{side}: {runner.model}")
    if output is not None:
        echo(f"wrote {output}")


def describe_answers(runs: SampleRuns, output: Path | None) -> list[dict[str, Any]]:
    """Return the same as plain values."""
    found = []
    for fed, answers in _keep(runs, output):
        said = {side or "answer": _describe(answer) for side, answer in answers.items()}
        found.append({"sample": fed.sample.name, "text": fed.text, **said})
    return found


def _describe(answer: Answer) -> dict[str, Any]:
    outputs = {
        name: {"dtype": each.dtype.name, "shape": each.shape}
        for name, each in answer.outputs.items()
    }
    if answer.boxes is not None:
        return {"boxes": answer.boxes, "outputs": outputs}
    if answer.classes:
        return {"classes": answer.classes, "outputs": outputs}
    if answer.class_map is not None:
        shape = answer.class_map.classes.shape
        return {"class_map": {"shape": shape, "shares": answer.class_map.shares},
                "outputs": outputs}  # fmt: skip
    return {"outputs": outputs}


def _tell(answer: Answer) -> Iterator[str]:
    if answer.boxes is not None:
        yield from map(_tell_box, answer.boxes)
        if not answer.boxes:
            yield "nothing found"
    elif answer.class_map is not None:
        yield from _tell_map(answer.class_map)
    elif answer.picture is not None:
        height, width = answer.picture.shape[:2]
        yield f"a picture, {width}x{height} pixels"
    elif answer.classes:
        yield from map(_tell_class, answer.classes)
    elif answer.vector is None:
        for name, array in answer.outputs.items():
            first = ", ".join(f"{value:.4g}" for value in array.reshape(-1)[:_FIRST])
            more = ", ..." if array.size > _FIRST else ""
            yield f"{name} {array.dtype.name} {list(array.shape)}: {first}{more}"


def _tell_box(box: ScoredBox) -> str:
    left, top, right, bottom = (f"{each:.0f}" for each in box.corners)
    return f"{_tell_class(box)}  from ({left}, {top}) to ({right}, {bottom})"


def _tell_class(found: ScoredClass | ScoredBox) -> str:
    return f"{found.score:6.1%}  {found.name or f'class {found.number}'}"


def _tell_map(found: ClassMap) -> Iterator[str]:
    height, width = found.classes.shape
    yield f"a map of classes, {width}x{height} pixels"
    yield from map(_tell_class, found.shares[:_MOST_SHARES])
    if (more := len(found.shares) - _MOST_SHARES) > 0:
        yield f"and {more} more"


def _show_nearest(side: str, kept: list[Answered]) -> None:
    vectors = [each for _, answers in kept if (each := answers[side].vector) is not None]
    echo("nearest, by cosine" + (f", {side}" if side else ""))
    for (fed, _), near in zip(kept, find_nearest(vectors), strict=True):
        echo(f"  {fed.text or fed.sample.name}")
        for place, cosine in near[:MOST_NEAR]:
            other = kept[place][0]
            echo(f"    {cosine:.3f}  {other.text or other.sample.name}")


def _keep(runs: SampleRuns, output: Path | None) -> Iterator[Answered]:
    """Pass answers on, and keep what `output` asks for: drawings by the sort of file, or arrays.

    Raises:
        UsageError: such a file cannot be made of these answers.
        NotWritable: it cannot be written.
    """
    if output is None:
        yield from runs.answers
        return
    if output.exists() and any(output.samefile(each) for each in runs.feeding.files):
        raise UsageError(f"--output: {output}: is what is read", hint="name another file")
    try:
        if output.suffix == ".npz":
            yield from _keep_arrays(runs, output)
        elif runs.feeding.sort == "video":
            yield from _keep_video(runs, output)
        elif runs.feeding.sort == "picture":
            yield from _keep_pictures(runs, output)
        else:
            raise UsageError(
                f"--output: {output}: of {runs.feeding.sort} only arrays can be kept",
                hint="name an npz file",
            )
    except OSError as error:
        raise NotWritable(
            f"--output: {output}: cannot be written: {error.strerror or error}",
            hint="name another place",
        ) from error


def _keep_arrays(runs: SampleRuns, output: Path) -> Iterator[Answered]:
    from trtbuild.core.arrays import write_npz

    with write_npz(output) as file:
        for fed, answers in runs.answers:
            for side, answer in answers.items():
                for name, array in answer.outputs.items():
                    file.append(f"{side}.{name}" if side else name, array[None], ragged=True)
            yield fed, answers


def _keep_pictures(runs: SampleRuns, output: Path) -> Iterator[Answered]:
    from trtbuild.verbs.running.drawing import write_picture

    single = output.suffix.lower() == ".png"
    if not single and is_picture(output.name):
        raise UsageError(f"--output: {output}: pictures are drawn as PNG", hint="name it so")
    if single and len(runs.feeding.files) > 1:
        raise UsageError(
            f"--output: {output}: is one file, for {len(runs.feeding.files)} pictures",
            hint="name a folder",
        )
    for fed, answers in runs.answers:
        place = output if single else output / f"{fed.sample.name}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        write_picture(place, _draw(fed, answers))
        yield fed, answers


def _keep_video(runs: SampleRuns, output: Path) -> Iterator[Answered]:
    """Write frames as they are answered: each is passed on once it lies in the file."""
    from trtbuild.data.frames import find_rate
    from trtbuild.verbs.running.drawing import FORMATS, VideoFile

    if len(runs.feeding.files) > 1:
        raise UsageError(
            f"--output: {output}: is one file, for {len(runs.feeding.files)} videos",
            hint="run them one by one",
        )
    if output.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        raise UsageError(f"--output: {output}: videos are written as {known}", hint="name it so")
    # What is fed of a video lasts as long as it did there.
    rate = find_rate(runs.feeding.files[0]) / runs.feeding.stride
    with VideoFile(output, rate) as file:
        for fed, answers in runs.answers:
            file.add(_draw(fed, answers))
            yield fed, answers


def _draw(fed: FedSample, answers: Mapping[str, Answer]) -> np.ndarray:
    from trtbuild.verbs.running.drawing import (
        draw_boxes,
        draw_classes,
        draw_lines,
        join_side_by_side,
    )

    assert fed.picture is not None  # noqa: S101  # pictures and frames have one
    sides = []
    for side, answer in answers.items():
        if answer.boxes is not None:
            sides.append(draw_boxes(fed.picture, answer.boxes, side))
        elif answer.picture is not None:
            sides.append(draw_lines(answer.picture, (side,) if side else ()))
        else:
            lines: Iterable[str] = (side, *_tell(answer)) if side else _tell(answer)
            shown = fed.picture
            if answer.class_map is not None:
                shown = draw_classes(shown, answer.class_map)
            sides.append(draw_lines(shown, lines))
    return join_side_by_side(sides)
