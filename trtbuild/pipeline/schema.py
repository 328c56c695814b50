"""PipelineFile: what stands in a pipeline's file."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from trtbuild.core.options import NonEmpty, Options

__all__ = ["FrameSource", "PipelineFile", "Queue", "Results", "Stage"]

TAKEN = ("frame", "name", "places", "values")
"""What stands in each line of results beside what stages say."""


def _demand_free(name: str) -> str:
    if name in TAKEN:
        raise ValueError(f"`{name}` is in each line of results already, where stages have theirs")
    return name


Name = Annotated[
    str,
    Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=40),
    AfterValidator(_demand_free),
]
Rate = Annotated[float, Field(gt=0, le=100_000)]


class Queue(Options):
    """Where frames wait for a stage."""

    size: Annotated[int, Field(ge=1, le=4096)] = 8
    """How many may wait."""
    full: Literal["block", "drop_oldest"] = "block"
    """What happens when one more comes: the stage before waits, or the oldest goes; dropped frames
    are counted."""


class FrameSource(Options):
    """Where frames come from."""

    kind: Literal["video", "folder", "camera", "queue"]
    """`video`, a file; `folder`, of pictures, by name; `camera`, by FFmpeg; `queue`, of the program
    that runs the pipeline (`trtbuild.api.run_pipeline(..., frames=QUEUE)`)."""
    path: NonEmpty = "none"
    """The file or folder, relative to this one; of a camera its device (`/dev/video0`)."""
    format: NonEmpty = "v4l2"
    """Of a camera, FFmpeg's word for how to read it (`v4l2`, `avfoundation`, `dshow`)."""
    rate: Rate | None = None
    """Frames a second that come in, as a camera would send them; by default as fast as they are
    read."""
    repeat: Annotated[int, Field(ge=1)] = 1
    """How many times it is read through."""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        """Demand a path of what lies at one, and none of a queue."""
        named = "path" in self.model_fields_set
        if self.kind == "queue" and named:
            raise ValueError("a queue is a program's: leave out `path`")
        if self.kind != "queue" and not named:
            raise ValueError(f"`path` is missing: where is the {self.kind}?")
        return self


class Stage(Options):
    """What is done with each frame: a recipe's model, or a function."""

    recipe: NonEmpty | None = None
    """A recipe that is built, relative to this file: its engine where that runs, or its model."""
    python: NonEmpty | None = None
    """A function (`file.py:function`, relative to this file) that is given an item, changes it, and
    returns it, or None to drop it: see `trtbuild.pipeline.item.Item`."""
    data: NonEmpty | None = None
    """Of a recipe, the data set whose preprocessing pictures go through; by default the one that it
    compares on."""
    batch: Annotated[int, Field(ge=1, le=4096)] = 1
    """Of a recipe, how many pictures are run at once, at most, of one frame or several."""
    wait_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    """How long the first of them waits for others."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What a recipe runs on."""
    threads: Annotated[int, Field(ge=0)] = 0
    """Of ONNX Runtime on the CPU; 0 means all cores."""
    queue: Queue = Queue()
    """Where frames wait for it."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        """Refuse a stage that is both, or neither."""
        if (self.recipe is None) == (self.python is None):
            raise ValueError("a stage has either `recipe` or `python`")
        if self.python is not None and self.model_fields_set & {"data", "device", "threads"}:
            raise ValueError("`data`, `device` and `threads` are for a stage with a `recipe`")
        return self


class Results(Options):
    """What becomes of the frames in the end."""

    json_lines: NonEmpty | None = None
    """A file with a line for each frame: what every stage says of it."""
    video: NonEmpty | None = None
    """A video (.mp4, .mkv, .avi) of the frames, with boxes and classes drawn on them, which
    are all of one size."""


class PipelineFile(Options):
    """A pipeline: `trtbuild run FILE` runs it."""

    version: Literal[1]
    source: FrameSource
    stages: Annotated[dict[Name, Stage], Field(min_length=1)]
    """In the order in which a frame goes through them."""
    results: Results = Results()
