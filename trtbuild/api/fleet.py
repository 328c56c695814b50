"""Many recipes at once: folders of them, those that a change concerns; one stops no other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.builds import apply
from trtbuild.api.executors import demand_buildable, using_executor
from trtbuild.core.log_levels import USUAL, LogLevel

if TYPE_CHECKING:
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.verbs.apply import AppliedRecipe
    from trtbuild.verbs.fleet.build import FleetBuild, FleetRecipe

__all__ = ["apply_fleet", "find_recipes", "place_variants", "render_junit", "select_modified"]

ListenTo = Callable[[Path], "contextlib.AbstractContextManager[Listener]"]
BESIDE_ON_CLUSTER = 8
"""How many recipes are built beside each other where others do the work."""


def find_recipes(paths: Sequence[Path | str]) -> tuple[Path, ...]:
    """Return recipes as they are named, and in the place of a folder those in it, sorted.

    Raises:
        MissingFile: a folder holds none.
    """
    from trtbuild.verbs.fleet.select import find_recipes as found

    return found([Path(each) for each in paths])


def select_modified(
    recipes: Sequence[Path], *, select: str = "state:modified", base: str = "origin/main"
) -> tuple[Path, ...]:
    """Return the recipes that a change since `base` concerns, by git and by what they name.

    Raises:
        UsageError: that is no way to select, or git does not know the revision.
    """
    from trtbuild.verbs.fleet.select import select_modified as selected

    return selected(recipes, select, base)


def apply_fleet(  # noqa: PLR0913  # all that a user may ask for
    recipes: Sequence[Path],
    *,
    build_dir: Path | str,
    targets: Sequence[str] = (),
    jobs: int = 2,
    executor: Executor | str = "local",
    beside: int | None = None,
    listen: ListenTo | None = None,
    tell: Callable[[FleetRecipe], None] = lambda _: None,
    locked: bool = False,
    no_gates: bool = False,
    log_level: LogLevel = USUAL,
    device: str | int | None = None,
    batch: int | None = None,
) -> FleetBuild:
    """Build recipes as `apply` does each, on one executor; what is wrong with one stops no other.

    `beside` so many are built at once (by default one, and 8 on a cluster); what several share is
    built once. `listen` makes a listener for each, `tell` hears how each ended.

    Raises:
        UsageError: two recipes have one name, or there is no such executor.
        NoGpu, WrongSystem, MissingDependency: nothing can be built with what was asked for.
    """
    from trtbuild.api.recipes import demand_apart
    from trtbuild.run.executor import QuietListener
    from trtbuild.verbs.fleet.build import build_fleet

    demand_buildable(executor, "building")
    demand_apart(recipes)
    listening: ListenTo = listen or (lambda _: contextlib.nullcontext(QuietListener()))

    def apply_one(path: Path, place: Executor) -> AppliedRecipe:
        with listening(path) as listener:
            return apply(
                path,
                build_dir=build_dir,
                targets=targets,
                executor=place,
                listener=listener,
                locked=locked,
                no_gates=no_gates,
            )

    with using_executor(
        executor, jobs=jobs, log_level=log_level, device=device, batch=batch
    ) as place:
        at_once = beside or (BESIDE_ON_CLUSTER if _is_far(place) else 1)
        return build_fleet(recipes, place, apply_one, beside=at_once, tell=tell)


def _is_far(executor: Executor) -> bool:
    return executor.__class__.__module__.startswith("trtbuild.run.cluster")


def place_variants(file: Path, build: FleetBuild, *, build_dir: Path | str) -> Path | None:
    """Place the page on a recipe's variants in `build_dir/<its name>/`, where all were built.

    Returns that folder; None where there is no such page.
    """
    from trtbuild.report.html import render_page
    from trtbuild.report.markdown import render_markdown_page
    from trtbuild.report.variants import make_variants_page
    from trtbuild.verbs.fleet.variants import place_variants as placed

    pages = {
        "report.md": lambda *found: render_markdown_page(make_variants_page(*found)),
        "report.html": lambda *found: render_page(make_variants_page(*found)),
    }
    return placed(file, build, Path(build_dir), pages)


def render_junit(build: FleetBuild) -> bytes:
    """Render what became of recipes as JUnit XML."""
    from trtbuild.report.junit import render_junit as rendered

    return rendered(
        [
            (
                each.applied.overview.recipe if each.applied else each.file.stem,
                each.seconds,
                each.applied.record if each.applied else None,
                each.message,
                each.hint,
            )
            for each in build.recipes
        ]
    )
