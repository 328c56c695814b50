"""The least float work that holds a recipe's gates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.executors import using_executor
from trtbuild.api.stores import open_store

if TYPE_CHECKING:
    from trtbuild.core.tuning import Trial
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.verbs.tuning.tune import TuneReport

__all__ = ["tune"]

HALF_AN_HOUR = 1800.0


def tune(  # noqa: PLR0913  # all that a user may ask for
    path: Path | str,
    *,
    build_dir: Path | str,
    budget_seconds: float = HALF_AN_HOUR,
    data: str = "",
    write: bool = False,
    best: bool = False,
    jobs: int = 1,
    executor: Executor | str = "local",
    device: str | int | None = None,
    batch: int | None = None,
    listener: Listener | None = None,
    tell: Callable[[Trial, bool], None] | None = None,
) -> TuneReport:
    """Search for what makes a recipe's gates pass with the least float work; place `tune.json`.

    Each candidate is built and compared as a whole, on `data` or on what `compare` names; what was
    built before is not built again. Once `budget_seconds` are spent, nothing new is begun. `write`
    changes the recipe where the gates pass, with `best` also where they do not. `tell` hears of
    each trial, and whether it is gone on from.

    Raises:
        UsageError: the recipe has no gate, quantizes nothing, or cannot be edited.
        RecipeError: the recipe, alone or with the model it names, is wrong.
        StepFailed: the recipe as it is cannot be built.
        MissingFile, MissingDependency, NotWritable: something needed is not here.
    """
    from trtbuild.run.executor import QuietListener
    from trtbuild.verbs.ready import load_ready
    from trtbuild.verbs.tuning.tune import TuneRequest, tune_recipe

    loaded = load_ready(path)
    with using_executor(executor, jobs=jobs, device=device, batch=batch) as place:
        return tune_recipe(
            loaded,
            open_store(),
            executor=place,
            directory=Path(build_dir) / loaded.recipe.name,
            request=TuneRequest(budget_seconds, data=data, write=write, best=best),
            listener=listener or QuietListener(),
            tell=tell or (lambda trial, better: None),  # noqa: ARG005  # nobody listens
        )
