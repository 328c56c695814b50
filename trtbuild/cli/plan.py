"""trtbuild plan."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["PlanFormat", "plan"]


class PlanFormat(StrEnum):
    """How a plan is written."""

    text = "text"
    json = "json"
    markdown = "markdown"


def plan(
    recipe: Annotated[Path, typer.Argument(help="The recipe.", metavar="RECIPE")],
    *,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="Only this target; may be repeated."),
    ] = None,
    format_: Annotated[
        PlanFormat, typer.Option("--format", help="How the plan is written.")
    ] = PlanFormat.text,
) -> None:
    """Say which steps would run, which are reused, and why; runs nothing."""
    from trtbuild import api
    from trtbuild.cli import show

    show.plan(api.plan(recipe, targets=tuple(target or ())), format_.value)
