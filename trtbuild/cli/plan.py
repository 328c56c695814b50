"""trtbuild plan."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.do_plan import do_plan
from trtbuild.cli.form import BatchOption, DeviceOption, VariantOption

__all__ = ["PlanFormat", "plan"]


class PlanFormat(StrEnum):
    """How a plan is written."""

    text = "text"
    json = "json"
    markdown = "markdown"


def plan(  # noqa: PLR0913  # its options
    recipe: Annotated[Path, typer.Argument(help="The recipe.", metavar="RECIPE")],
    *,
    variant: VariantOption = "",
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="Only this target; may be repeated."),
    ] = None,
    format_: Annotated[
        PlanFormat, typer.Option("--format", help="How the plan is written.")
    ] = PlanFormat.text,
    executor: Annotated[
        str,
        typer.Option(
            "--executor",
            metavar="NAME",
            help="Where steps would run: local, inline, ray, ray://auto or ray://HOST:PORT; by "
            "default what the settings say, or local.",
        ),
    ] = "",
    device: DeviceOption = None,
    batch: BatchOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Save it for `apply --plan`."),
    ] = None,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode", help="End with 1 where a step would run or may run, with 0 else."
        ),
    ] = False,
) -> int:
    """Say which steps would run, which are reused, and why; runs nothing."""
    return do_plan(
        recipe,
        variant=variant,
        targets=target or (),
        form=format_,
        executor=executor,
        device=device,
        batch=batch,
        out=out,
        detailed_exitcode=detailed_exitcode,
    )
