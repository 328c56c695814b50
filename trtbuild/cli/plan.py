"""trtbuild plan."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.form import BatchOption, DeviceOption

__all__ = ["PlanFormat", "plan"]


class PlanFormat(StrEnum):
    """How a plan is written."""

    text = "text"
    json = "json"
    markdown = "markdown"


def plan(  # noqa: PLR0913  # its options
    recipe: Annotated[Path, typer.Argument(help="The recipe.", metavar="RECIPE")],
    *,
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
    from trtbuild import api
    from trtbuild.cli import show

    targets = tuple(target or ())
    found = api.plan(recipe, targets=targets, executor=executor, device=device, batch=batch)
    show.write_plan(found, format_.value)
    if out is not None:
        from trtbuild.plan.saved_plan import save_plan

        save_plan(out, recipe=recipe, targets=targets, plan=found.plan, decisions=found.decisions)
    changes = any(each.verdict in {"run", "maybe"} for each in found.decisions)
    return int(detailed_exitcode and changes)
