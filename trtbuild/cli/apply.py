"""trtbuild apply."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["apply"]


def apply(
    recipes: Annotated[list[Path], typer.Argument(help="Recipes to build.", metavar="RECIPE")],
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
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only errors, warnings and failed gates.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also reasons, notes and reused steps.")
    ] = False,
) -> int:
    """Build what recipes ask for; exit code 1 if a gate fails."""
    from trtbuild import api
    from trtbuild.cli import show
    from trtbuild.cli.progress import listener as listening

    passed = True
    for recipe in recipes:
        with listening(quiet=quiet, verbose=verbose) as listener:
            applied = api.apply(
                recipe,
                build_dir=build_dir,
                targets=tuple(target or ()),
                jobs=jobs,
                listener=listener,
            )
        show.applied(applied, quiet=quiet, verbose=verbose)
        passed &= applied.passed
    return 0 if passed else 1
