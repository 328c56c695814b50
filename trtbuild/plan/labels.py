"""The step that writes down labels, where a metric may be held against arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.data import holds_pictures
from trtbuild.data.truths.base import tells_classes
from trtbuild.recipe.schema import Recipe
from trtbuild.steps.base import Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.plan.compile import CompileContext

__all__ = ["add_labels"]


def add_labels(
    recipe: Recipe, steps: dict[str, Step], data: Mapping[str, DataInput], here: CompileContext
) -> Ref | None:
    """Capture the labels that metrics with options are held against; None where there are none.

    Classes by folders are part of the data's own capture.
    """
    compare = recipe.compare
    if compare is None or all(isinstance(each, str) for each in compare.metrics):
        return None
    source = recipe.data[compare.data]
    told = getattr(source, "labels", None)
    if told is None or tells_classes(told):
        return None
    from trtbuild.steps.capture_labels import CaptureLabels, LabelFile

    names: tuple[str, ...] = ()
    files: tuple[LabelFile, ...] = ()
    if holds_pictures(source) and compare.data not in here.absent:
        names, found = source.find_names(here.base), source.find_label_files(here.base)
        pinned = here.pinned(found.values())
        files = tuple(LabelFile(name=n, file=p) for n, p in zip(found, pinned, strict=True))
    step = f"capture_labels({compare.data})"
    steps[step] = CaptureLabels(data=data[compare.data], pictures=names, files=files)
    return Ref(step=step, output="labels")
