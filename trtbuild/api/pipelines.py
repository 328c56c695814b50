"""Several models in one pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.executors import using_executor

if TYPE_CHECKING:
    from trtbuild.pipeline.memory_plan import MemoryPlan
    from trtbuild.pipeline.sources import Frames
    from trtbuild.pipeline.summary import PipelineSummary

__all__ = ["run_pipeline"]


def run_pipeline(
    path: Path | str,
    *,
    build_dir: Path | str = "build",
    frames: Frames | None = None,
    tell: Callable[[PipelineSummary], None] = lambda _: None,
    planned: Callable[[MemoryPlan], None] = lambda _: None,
    ended: Callable[[], bool] = lambda: False,
) -> PipelineSummary:
    """Run a pipeline's file to the end of its source, or of other `frames`; return how it went.

    Frames are items, or pictures (uint8 RGB [height, width, 3]); or a `queue.Queue` of them, which
    ends with None.

    What has no end, as a camera, is `ended` by what is asked at each of its frames.

    What its engines take of the GPU is told as `planned` before they are loaded.

    Raises:
        NoGpu: the GPU has no room for all of them.
        RecipeError: the file, or a stage's recipe, is wrong.
        MissingFile, UsageError: a recipe is not built, or not as it stands, or takes no pictures.
        StepInputError: a frame cannot be decoded, or a stage fails on it.
        MissingDependency: something that it needs is not installed.
    """
    from trtbuild.api.doubts import make_doubt
    from trtbuild.pipeline.load import load_pipeline
    from trtbuild.pipeline.run import run_pipeline as run

    loaded = load_pipeline(Path(path))
    with using_executor("local") as place:
        doubt = make_doubt(place)
        return run(
            loaded,
            Path(build_dir),
            frames=frames,
            tell=tell,
            planned=planned,
            doubt=doubt,
            ended=ended,
        )
