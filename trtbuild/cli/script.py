"""trtbuild script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["script"]


def script(
    recipe: Annotated[Path, typer.Argument(help="The recipe.", metavar="RECIPE")],
    *,
    target: Annotated[str, typer.Option("--target", help="Which target the program builds.")],
) -> None:
    """Print a program that makes the same build with Polygraphy alone."""
    from trtbuild import api

    typer.echo(api.script(recipe, target), nl=False)
