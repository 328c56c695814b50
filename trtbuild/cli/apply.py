"""trtbuild apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from trtbuild.cli.form import (
    BatchOption,
    DeviceOption,
    Form,
    FormOption,
    LogLevelOption,
    write_json,
)
from trtbuild.core.log_levels import USUAL

if TYPE_CHECKING:
    from trtbuild.cli.progress import SilentListener
    from trtbuild.plan.saved_plan import SavedPlan

__all__ = ["Told", "apply"]


def apply(  # noqa: PLR0913  # its options
    recipes: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Recipes to build, or folders of them.", metavar="RECIPE", show_default=False
        ),
    ] = None,
    *,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="Only this target; may be repeated."),
    ] = None,
    build_dir: Annotated[
        Path, typer.Option("--build-dir", metavar="DIR", help="Where <recipe name>/ goes.")
    ] = Path("build"),
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Steps that may run at once.")
    ] = 2,
    executor: Annotated[
        str,
        typer.Option(
            "--executor",
            metavar="NAME",
            help="Where steps run: local, inline, ray, ray://auto or ray://HOST:PORT; by default "
            "what the settings say, or local.",
        ),
    ] = "",
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="A plan saved by `plan --out`; refused where it is stale.",
        ),
    ] = None,
    locked: Annotated[
        bool, typer.Option("--locked", help="Build what the lock says, with its ranges.")
    ] = False,
    no_gates: Annotated[
        bool,
        typer.Option(
            "--no-gates", help="Place what fails its gates, too; that is said wherever it lies."
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only errors, warnings and failed gates.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also reasons, notes and reused steps.")
    ] = False,
    select: Annotated[
        str,
        typer.Option(
            "--select",
            metavar="WHICH",
            help="Only recipes that differ since --base, or stand on a file that does: "
            "state:modified.",
        ),
    ] = "",
    base: Annotated[
        str, typer.Option("--base", metavar="REVISION", help="What --select compares with.")
    ] = "origin/main",
    beside: Annotated[
        int | None,
        typer.Option(
            "--beside", min=1, metavar="N", help="Recipes built at once: 1, on a cluster 8."
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also as JUnit XML.")
    ] = None,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Progress as lines of JSON, on standard error.")
    ] = False,
    log_level: LogLevelOption = USUAL,
    device: DeviceOption = None,
    batch: BatchOption = None,
    format_: FormOption = Form.text,
) -> int:
    """Build what recipes ask for; exit code 1 if a gate fails."""
    from trtbuild import api
    from trtbuild.cli import show

    chosen, targets, saved = _resolve_arguments(recipes, target, plan)
    told = Told(quiet, verbose, log_json, format_)
    if select or junit or len(chosen) > 1 or chosen[0].is_dir():
        found = api.find_recipes(chosen)
        found = api.select_modified(found, select=select, base=base) if select else found
        if not any(each.is_dir() for each in chosen):
            api.demand_apart(found)
            if len(found) > 1:
                api.demand_ready(found, locked=locked)
        from trtbuild.cli.apply_fleet import apply_fleet

        return apply_fleet(
            found, told, build_dir=build_dir, targets=targets, jobs=jobs, executor=executor,
            beside=beside, junit=junit, locked=locked, no_gates=no_gates, log_level=log_level,
            device=device, batch=batch,
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
    if format_ is Form.text:
        show.write_applied(applied, quiet=quiet, verbose=verbose)
        if verbose or (log_level != USUAL and not quiet):
            show.write_logs(api.list_logs(applied.record), log_level)
    else:
        write_json({"passed": applied.passed, "builds": [applied]})
    return 0 if applied.passed else 1


class Told(NamedTuple):
    """How what happens is told."""

    quiet: bool
    verbose: bool
    log_json: bool
    form: Form

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
    recipes: list[Path] | None, target: list[str] | None, plan: Path | None
) -> tuple[tuple[Path, ...], tuple[str, ...], SavedPlan | None]:
    """Return the recipes, the targets and the saved plan that are asked for."""
    from trtbuild.core.errors import UsageError

    if plan is None:
        if not recipes:
            raise UsageError("no recipe is named", hint="trtbuild apply recipes/NAME.yaml")
        return tuple(recipes), tuple(target or ()), None
    if recipes or target:
        raise UsageError(
            "a saved plan says by itself which recipe and targets it is for",
            hint="trtbuild apply --plan FILE",
        )
    from trtbuild.plan.saved_plan import read_saved_plan

    saved, recipe = read_saved_plan(plan)
    return (recipe,), saved.targets, saved
