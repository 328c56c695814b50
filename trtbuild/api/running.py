"""Pictures, videos, text and sound run through what a recipe has built."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.executors import using_executor

if TYPE_CHECKING:
    from trtbuild.run.executor import Executor
    from trtbuild.verbs.running.run import SampleRuns
    from trtbuild.verbs.running.runners import RunPlace

__all__ = ["run_samples"]


@contextlib.contextmanager
def run_samples(  # noqa: PLR0913  # all that a user may ask for
    path: Path | str,
    inputs: Path | str,
    *,
    build_dir: Path | str = "build",
    data: str = "",
    names: Sequence[str] = (),
    top: int = 5,
    sides: Sequence[str] = (),
    target: str = "",
    on: RunPlace = "any",
    plugins: Sequence[Path | str] = (),
    executor: Executor | str = "local",
    device: str | int | None = None,
) -> Iterator[SampleRuns]:
    """Run a recipe on files, one by one, through the preprocessing of its data (`data`, by name).

    Outputs are read as the recipe's metrics say: the `top` best classes, boxes, vectors. `names`
    are those of the classes. With `sides` (`fp32`, `half`, `quantized`) these models run side by
    side, in ONNX Runtime.

    Raises:
        UsageError: it is no recipe, or does not say how such files become what the model takes.
        MissingFile: it is not built, or a file is not there.
        StepInputError, StepFailed: a file cannot be read, or the model not run on it.
        NoGpu: it shall run `on` the GPU, and cannot here.
    """
    from trtbuild.api.doubts import make_doubt
    from trtbuild.verbs.running.run import run_samples as run

    with using_executor(executor, device=device) as place:
        yield run(
            Path(path),
            Path(inputs),
            place,
            build_dir=Path(build_dir),
            target=target,
            on=on,
            plugins=[Path(each) for each in plugins],
            doubt=make_doubt(place),
            sides=sides,
            data=data,
            names=names,
            top=top,
        )
