"""trtbuild lock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.echo import echo

__all__ = ["lock"]

LEVELS = {
    None: "what is not known: it was locked by an earlier trtbuild",
    0: "the same model, and an engine within the gates",
    1: "the same model, and an engine of the same tactics",
    2: "the same model, and the same engine, byte for byte",
}


def lock(
    recipes: Annotated[list[Path], typer.Argument(help="Built recipes.", metavar="RECIPE")],
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 5 if a lock does not hold.")
    ] = False,
    build_dir: Annotated[
        Path,
        typer.Option(
            "--build-dir", metavar="DIR", help="Where `--check` looks for what was placed."
        ),
    ] = Path("build"),
) -> int:
    """Write down beside a recipe what it was built from and what came of it."""
    from trtbuild import api
    from trtbuild.cli.show import format_verdict

    if check:
        return max(_check(recipe, build_dir) for recipe in recipes)
    for recipe in recipes:
        path, changed, found = api.lock(recipe)
        echo(f"{path}: {'written' if changed else 'unchanged'}")
        for name, target in found.targets.items():
            echo(f"  {name}: level {target.level}: a rebuild gives {LEVELS[target.level]}")
        for verdict in api.list_failed_gates(recipe):
            echo(
                f"warning: {path} locks a build whose gate failed: {format_verdict(verdict)}",
                err=True,
            )
    return 0


def _check(recipe: Path, build_dir: Path) -> int:
    """Say whether a lock holds and return the exit code; one that does not hides no other."""
    from trtbuild import api
    from trtbuild.cli.show import write_failure
    from trtbuild.core.errors import TrtbuildError

    try:
        path, remarks = api.check_lock(recipe, build_dir=build_dir)
    except TrtbuildError as error:
        return write_failure(error)
    echo(f"{path}: holds")
    for each in remarks:
        echo(f"  {each}")
    return 0
