"""trtbuild lock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["lock"]


def lock(
    recipes: Annotated[list[Path], typer.Argument(help="Built recipes.", metavar="RECIPE")],
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 5 if a lock does not hold.")
    ] = False,
) -> None:
    """Write down beside a recipe what it was built from and what came of it."""
    from trtbuild import api

    for recipe in recipes:
        if check:
            typer.echo(f"{api.check_lock(recipe)}: holds")
        else:
            path, changed = api.lock(recipe)
            typer.echo(f"{path}: {'written' if changed else 'unchanged'}")
