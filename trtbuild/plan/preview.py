"""The steps that show what a model will be fed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.core.frozen import frozen
from trtbuild.recipe.schema import Recipe
from trtbuild.steps.base import Pinned, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.plan.compile import CompileContext

__all__ = ["PreviewRequest", "add_previews", "name_picked", "name_preview"]


@frozen
class PreviewRequest:
    """What is to be shown."""

    data: tuple[str, ...]
    """Names of data sets."""
    count: int
    """How many samples of each."""
    model: bool
    """Whether the model's first layer is asked what it expects."""
    shown: bool = True
    """Whether they are shown too, and not only picked."""


def name_preview(data: str) -> str:
    """Return the name of the step that shows a data set."""
    return f"preview_data({data})"


def name_picked(data: str) -> str:
    """Return the name of the step that picks samples of a data set to be shown."""
    return f"pick_samples({data})"


def add_previews(
    recipe: Recipe,
    steps: dict[str, Step],
    data: Mapping[str, DataInput],
    here: CompileContext,
) -> None:
    """Pick some samples of each data set that is to be shown, and show them."""
    if here.preview is None:
        return
    from trtbuild.steps.pick_samples import PickSamples
    from trtbuild.steps.preview_data import PreviewData

    for name in here.preview.data:
        picked = name_picked(name)
        steps[picked] = PickSamples(data=data[name], count=here.preview.count)
        if not here.preview.shown:
            continue
        steps[name_preview(name)] = PreviewData(
            data=name,
            source=recipe.data[name],
            picked=Ref(step=picked, output="picked"),
            samples=Ref(step=picked, output="samples"),
            tokenizer=_find_tokenizer(data[name]),
            model=Ref(step="import_model", output="model") if here.preview.model else None,
        )


def _find_tokenizer(data: DataInput) -> Pinned | None:
    """Return the file that says what tokens are words, where the source has one."""
    named = (each for each in data.files if each.path.endswith("tokenizer.json"))
    return next(named, None) if hasattr(data.source, "tokenizer") else None
