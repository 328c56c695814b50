"""What a model will be fed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.executors import using_executor
from trtbuild.api.stores import open_store

if TYPE_CHECKING:
    from trtbuild.core.preview import DataPreview
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.verbs.preview import PreviewedData

__all__ = ["preview_data"]


def preview_data(  # noqa: PLR0913  # all that a user may ask for
    path: Path | str,
    *,
    build_dir: Path | str = "build",
    out: Path | str | None = None,
    data: Sequence[str] = (),
    count: int = 16,
    model: bool = True,
    executor: Executor | str = "local",
    listener: Listener | None = None,
) -> tuple[PreviewedData, ...]:
    """Show `count` samples of each data set as the model is fed them: NAME.png and NAME.html.

    They are written to `out`, or to `preview/` in the recipe's build directory. Without `model` it
    is not imported, and its first layer not asked what it expects.

    Raises:
        UsageError: the recipe has no such data.
        RecipeError: the recipe is wrong.
        StepFailed: the data cannot be read, or the model not imported.
        MissingFile, MissingDependency, NotWritable: something needed is not here.
    """
    from trtbuild.recipe.load import load_recipe
    from trtbuild.run.executor import QuietListener
    from trtbuild.verbs.preview import preview_data as show

    loaded = load_recipe(Path(path))
    name = loaded.recipe.name

    def render(preview: DataPreview, sheet: bytes) -> str:
        from trtbuild.report.html import render_page
        from trtbuild.report.preview import make_preview_page

        return render_page(make_preview_page(preview, sheet, recipe=name))

    with using_executor(executor, jobs=1) as place:
        return show(
            loaded,
            open_store(),
            executor=place,
            directory=Path(out) if out is not None else Path(build_dir) / name / "preview",
            data=data,
            count=count,
            model=model,
            listener=listener or QuietListener(),
            render=render,
        )
