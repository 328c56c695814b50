"""trtbuild validate."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.form import VariantsOption

__all__ = ["ProblemFormat", "validate"]


class ProblemFormat(StrEnum):
    """How problems are written."""

    text = "text"
    json = "json"
    github = "github"


def validate(
    recipes: Annotated[list[Path], typer.Argument(help="Recipes to check.", metavar="RECIPE")],
    *,
    variant: VariantsOption = None,
    format_: Annotated[
        ProblemFormat, typer.Option("--format", help="How problems are written.")
    ] = ProblemFormat.text,
) -> int:
    """Check recipes without running anything; needs no model, GPU or store."""
    from trtbuild import api
    from trtbuild.cli import show

    return show.write_problems(
        api.validate(api.name_variants(recipes, variant or ())), format_.value
    )
