"""Engines that take other weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.builds import render_html_page, render_markdown_page
from trtbuild.api.executors import using_executor
from trtbuild.api.stores import open_store
from trtbuild.core.errors import UsageError
from trtbuild.core.files import relate_path
from trtbuild.core.placed import ENGINE

if TYPE_CHECKING:
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.verbs.refit.refit import RefitReport

__all__ = ["refit"]

SUFFIXES = (".yaml", ".yml")
FEW = 32
TWICE = 2.0


def refit(  # noqa: PLR0913  # all that a user may ask for
    path: Path | str,
    weights: Path | str,
    *,
    recipe: Path | str | None = None,
    build_dir: Path | str = "build",
    target: str = "",
    to: Path | str | None = None,
    samples: int = FEW,
    most_drift: float = TWICE,
    executor: Executor | str = "local",
    device: str | int | None = None,
    listener: Listener | None = None,
) -> RefitReport:
    """Let an engine of a recipe take other weights, where it can; say else why it is to be rebuilt.

    Args:
        path: the engine where `apply` has placed it, or the recipe that it was built by.
        weights: such a file as the recipe names for its model.
        recipe: of an engine, the recipe that it was built by.
        build_dir: of a recipe, where it was built.
        target: of which target the engine is; may be left out where there is one.
        to: the folder for what comes of it; `build_dir/<recipe name>-refit` by default.
        samples: on how many values of the old and of the new model are held to each other.
        most_drift: the factor by which a tensor's largest value may move; beyond it, its range is
            to be found anew.
        executor: where steps run.
        device: on which GPU.
        listener: hears of the steps.

    Raises:
        MissingFile: the recipe is not built, its data is not here, or there are no such weights.
        UsageError: there is no such target, the recipe names no file of weights, or the engine does
            not lie where the recipe's are placed.
        RecipeError: the recipe is wrong.
        StepFailed: a step failed; of the refit itself, TensorRT does not take the weights.
    """
    from trtbuild.run.executor import QuietListener
    from trtbuild.verbs.ready import load_ready
    from trtbuild.verbs.refit.refit import RefitOrder, refit_recipe

    if recipe is None:
        loaded, built = load_ready(_demand_recipe(Path(path))), Path(build_dir)
        target = target or _find_target(loaded)
    else:
        loaded = load_ready(recipe)
        built, target = _find_place(Path(path), loaded)
    order = RefitOrder(
        target,
        Path(weights),
        built,
        Path(to) if to is not None else built / f"{loaded.recipe.name}-refit",
        samples,
        most_drift,
    )
    with using_executor(executor, device=device) as place:
        return refit_recipe(
            loaded,
            order,
            open_store(),
            place,
            listener=listener or QuietListener(),
            pages={"report.md": render_markdown_page, "report.html": render_html_page},
        )


def _demand_recipe(path: Path) -> Path:
    if path.name == ENGINE or path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: which recipe was it built by?", hint="say it: `--recipe RECIPE`")
    return path


def _find_target(loaded: LoadedRecipe) -> str:
    names = list(loaded.recipe.targets)
    if len(names) != 1:
        raise UsageError(
            f"{loaded.file}: has {len(names)} targets",
            hint=f"say which: `--target`, one of {', '.join(names)}",
        )
    return names[0]


def _find_place(engine: Path, loaded: LoadedRecipe) -> tuple[Path, str]:
    """Return the build directory in which an engine lies, and of which target it is."""
    folder = engine.absolute().parent
    name = loaded.recipe.name
    if engine.name != ENGINE or folder.parent.name != name:
        raise UsageError(
            f"{engine}: does not lie where engines of {loaded.file} are placed",
            hint=f"it is looked at with what lies beside it: build/{name}/TARGET/{ENGINE}",
        )
    built = folder.parent.parent
    shown = built if engine.is_absolute() else Path(relate_path(built, Path.cwd()))
    return shown, folder.name
