"""trtbuild apply."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.do_apply import do_apply
from trtbuild.cli.form import (
    BatchOption,
    BuildDirOption,
    DeviceOption,
    Form,
    FormOption,
    JobsOption,
    LogLevelOption,
    VariantsOption,
)
from trtbuild.core.log_levels import USUAL

__all__ = ["apply"]


def apply(  # noqa: PLR0913  # its options
    recipes: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Recipes to build, or folders of them.", metavar="RECIPE", show_default=False
        ),
    ] = None,
    *,
    variant: VariantsOption = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="Only this target; may be repeated."),
    ] = None,
    build_dir: BuildDirOption = Path("build"),
    jobs: JobsOption = 2,
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
    return do_apply(
        recipes or (),
        variants=variant or (),
        targets=target or (),
        build_dir=build_dir,
        jobs=jobs,
        executor=executor,
        plan=plan,
        locked=locked,
        no_gates=no_gates,
        quiet=quiet,
        verbose=verbose,
        select=select,
        base=base,
        beside=beside,
        junit=junit,
        log_json=log_json,
        log_level=log_level,
        device=device,
        batch=batch,
        form=format_,
    )
