"""trtbuild script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.echo import pour
from trtbuild.cli.form import VariantOption

__all__ = ["script"]


def script(
    recipe: Annotated[Path, typer.Argument(help="The recipe.", metavar="RECIPE")],
    *,
    variant: VariantOption = "",
    target: Annotated[str, typer.Option("--target", help="Which target the program builds.")],
) -> None:
    """Print a program that makes the same build with Polygraphy alone."""
    from trtbuild import api

    pour(api.script(api.name_variant(recipe, variant), target), nl=False)
