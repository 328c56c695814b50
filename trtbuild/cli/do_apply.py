"""What `trtbuild apply` does, however its options were read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.core.log_levels import USUAL, LogLevel

if TYPE_CHECKING:
    from trtbuild.cli.progress import SilentListener
    from trtbuild.plan.saved_plan import SavedPlan

__all__ = ["ApplyOutput", "do_apply"]


def do_apply(  # noqa: PLR0913  # its options
    recipes: Sequence[Path] = (),
    *,
    variants: Sequence[str] = (),
    targets: Sequence[str] = (),
    build_dir: Path = Path("build"),
    jobs: int = 2,
    executor: str = "",
    plan: Path | None = None,
    locked: bool = False,
    no_gates: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    select: str = "",
    base: str = "origin/main",
    beside: int | None = None,
    junit: Path | None = None,
    log_json: bool = False,
    log_level: LogLevel = USUAL,
    device: str | int | None = None,
    batch: int | None = None,
    form: str = "text",
) -> int:
    """Build, and write what came of it; return the exit code."""
    from trtbuild import api
    from trtbuild.cli import show

    chosen, targets, saved = _resolve_arguments(recipes, targets, plan)
    chosen = api.name_variants(chosen, variants) if variants else chosen
    whole, chosen = chosen, api.expand_variants(chosen)
    told = ApplyOutput(quiet, verbose, log_json, form)
    if select or junit or len(chosen) > 1 or chosen[0].is_dir():
        found = api.find_recipes(chosen)
        found = api.select_modified(found, select=select, base=base) if select else found
        if not any(each.is_dir() for each in chosen):
            api.demand_apart(found)
            if len(found) > 1:
                api.demand_ready(found, locked=locked)
        from trtbuild.cli.apply_fleet import apply_fleet

        return apply_fleet(
            found, told, whole=whole, build_dir=build_dir, targets=targets, jobs=jobs,
            executor=executor, beside=beside, junit=junit, locked=locked, no_gates=no_gates,
            log_level=log_level, device=device, batch=batch,
        )  # fmt: skip
    with told.listen(chosen[0]) as listener:
        applied = api.apply(
            chosen[0],
            build_dir=build_dir,
            targets=targets,
            jobs=jobs,
            executor=executor,
            listener=listener,
            saved=saved,
            locked=locked,
            no_gates=no_gates,
            log_level=log_level,
            device=device,
            batch=batch,
        )
    if form == "text":
        show.write_applied(applied, quiet=quiet, verbose=verbose)
        if verbose or (log_level != USUAL and not quiet):
            show.write_logs(api.list_logs(applied.overview), log_level)
    else:
        from trtbuild.cli.form import write_json

        write_json({"passed": applied.passed, "builds": [applied.to_tree()]})
    return 0 if applied.passed else 1


class ApplyOutput(NamedTuple):
    """How what happens is told."""

    quiet: bool
    verbose: bool
    log_json: bool
    form: str
    """`text` or `json`."""

    def listen(self, recipe: Path, *, named: bool = False) -> SilentListener:
        """Return the listener for a recipe, `named` where others are built beside it."""
        from trtbuild.cli.progress import choose_listener

        if self.log_json or (named and not self.quiet):
            from trtbuild.cli.progress_json import JsonListener, NamedListener

            if self.log_json:
                return JsonListener(recipe.stem)
            return NamedListener(recipe.stem, verbose=self.verbose)
        return choose_listener(quiet=self.quiet, verbose=self.verbose)


def _resolve_arguments(
    recipes: Sequence[Path], targets: Sequence[str], plan: Path | None
) -> tuple[tuple[Path, ...], tuple[str, ...], SavedPlan | None]:
    """Return the recipes, the targets and the saved plan that are asked for."""
    from trtbuild.core.errors import UsageError

    if plan is None:
        if not recipes:
            raise UsageError("no recipe is named", hint="trtbuild apply recipes/NAME.yaml")
        return tuple(recipes), tuple(targets), None
    if recipes or targets:
        raise UsageError(
            "a saved plan says by itself which recipe and targets it is for",
            hint="trtbuild apply --plan FILE",
        )
    from trtbuild.plan.saved_plan import read_saved_plan

    saved, recipe = read_saved_plan(plan)
    return (recipe,), saved.targets, saved
