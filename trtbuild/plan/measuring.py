"""What a recipe wants measured, with the files that its metrics read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.frozen import frozen
from trtbuild.measure.kinds import AnyMetric
from trtbuild.measure.metrics import Metric
from trtbuild.recipe.schema import Compare
from trtbuild.steps.base import Ref
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.measuring import Measuring, TaskInput

if TYPE_CHECKING:
    from trtbuild.plan.compile import CompileContext

__all__ = ["MeasuringRequest", "list_tasks", "make_measuring"]


@frozen
class MeasuringRequest:
    """What is measured."""

    metrics: tuple[Metric, ...]
    more: Measuring


def list_tasks(compare: Compare) -> tuple[AnyMetric, ...]:
    """Return the metrics with options."""
    return tuple(each for each in compare.metrics if not isinstance(each, str))


def make_measuring(
    compare: Compare, data: DataInput, here: CompileContext, *, labels: Ref | None
) -> MeasuringRequest:
    """Return what is measured, with the files that it reads.

    Raises:
        MissingFile: one of them is not there.
    """
    names = tuple(each for each in compare.metrics if isinstance(each, str))
    tasks = list_tasks(compare)
    if not tasks:
        return MeasuringRequest(names, Measuring(parts=compare.outputs))
    absent = compare.data in here.absent
    found = [{} if absent else dict(task.find_files(here.base)) for task in tasks]
    return MeasuringRequest(
        names,
        Measuring(
            parts=compare.outputs,
            tasks=tuple(
                TaskInput(metric=task, names=tuple(files), files=here.pinned(files.values()))
                for task, files in zip(tasks, found, strict=True)
            ),
            samples=_name_samples(data, here.base),
            labels=labels,
            base=str(here.base),
        ),
    )


def _name_samples(data: DataInput, base: Path) -> tuple[str, ...]:
    """Return the path of each sample's file below the folder that the recipe names."""
    place = getattr(data.source, "path", None)
    if data.source.captured or not isinstance(place, str) or len(data.files) < 2:  # noqa: PLR2004
        return ()
    root = base / place
    while any(letter in root.name for letter in "*?[") or not root.is_dir():
        if root == root.parent:
            break
        root = root.parent
    paths = [os.path.relpath(pinned.path, root) for pinned in data.files]
    return tuple(Path(path).as_posix() for path in paths)
