"""What a recipe's model will be fed, as a contact sheet and a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.errors import NotWritable, UsageError
from trtbuild.core.files import write_whole
from trtbuild.core.preview import DataPreview
from trtbuild.core.records import Outcome
from trtbuild.plan.compile import list_used_data
from trtbuild.plan.nearest import suggest_nearest
from trtbuild.plan.preview import PreviewRequest, name_preview
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.schema import Recipe
from trtbuild.run.executor import Executor, Listener
from trtbuild.store.store import Store
from trtbuild.verbs.build import compile_for_machine, walk_all
from trtbuild.verbs.run_artifacts import RunArtifacts

__all__ = ["PreviewedData", "RenderPreview", "preview_data"]

RenderPreview = Callable[[DataPreview, bytes], str]


@dataclass(frozen=True)
class PreviewedData:
    """What was shown of a data set, and where."""

    preview: DataPreview
    sheet: Path
    page: Path
    warnings: tuple[str, ...]


def preview_data(  # noqa: PLR0913  # what to show, and where
    loaded: LoadedRecipe,
    store: Store,
    *,
    executor: Executor,
    directory: Path,
    data: Sequence[str],
    count: int,
    model: bool,
    listener: Listener,
    render: RenderPreview,
) -> tuple[PreviewedData, ...]:
    """Write a sheet (PNG) and a page of some samples of each data set; all that is read by default.

    Raises:
        UsageError: the recipe has no such data, or none at all.
        MissingFile: a file that is needed is not there.
        StepFailed: the data cannot be read, or the model not imported.
        NotWritable: the files cannot be written.
    """
    names = _choose(loaded, data)
    request = PreviewRequest(names, count, model)
    unread = tuple(name for name in list_used_data(loaded.recipe) if name not in names)
    with store.using():
        made, _ = compile_for_machine(
            loaded, store, executor, targets=(), fetch=model, absent=unread, preview=request
        )
        made = made.cut_after(tuple(map(name_preview, names)))
        outcomes = walk_all(made, store, executor, listener)
        return tuple(_place(name, outcomes, store, directory, render) for name in names)


def _choose(loaded: LoadedRecipe, asked: Sequence[str]) -> tuple[str, ...]:
    recipe: Recipe = loaded.recipe
    for name in asked:
        if name not in recipe.data:
            raise UsageError(
                f"{loaded.file}: there is no data `{name}`",
                hint=suggest_nearest(name, list(recipe.data)),
            )
    names = tuple(dict.fromkeys(asked)) or tuple(list_used_data(recipe)) or tuple(recipe.data)
    if not names:
        raise UsageError(
            f"{loaded.file}: there is no section `data`, so there is nothing to show",
            hint="trtbuild kinds data lists what data a recipe can name",
        )
    return names


def _place(
    name: str, outcomes: Sequence[Outcome], store: Store, directory: Path, render: RenderPreview
) -> PreviewedData:
    step = name_preview(name)
    found = RunArtifacts(tuple(outcomes), store).read(step, "preview", DataPreview)
    outcome = next(each for each in outcomes if each.step == step)
    digest = next(each.digest for each in outcome.artifacts if each.name == "sheet")
    assert found is not None  # noqa: S101  # the step has run
    png = store.object_path(digest).read_bytes()
    sheet, page = directory / f"{name}.png", directory / f"{name}.html"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(sheet, png)
        write_whole(page, render(found, png).encode())
    except OSError as error:
        raise NotWritable(
            f"{directory}: the preview cannot be written: {error.strerror}",
            hint="name another folder: --out DIR",
        ) from error
    warnings = dict.fromkeys(told for each in outcomes for told in each.warnings)
    return PreviewedData(found, sheet, page, tuple(warnings))
