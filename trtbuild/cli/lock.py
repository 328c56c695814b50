"""trtbuild lock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.form import Form, FormOption, VariantsOption, write_json

__all__ = ["lock"]

LEVELS = {
    None: "what is not known: it was locked by an earlier trtbuild",
    0: "the same model, and an engine within the gates",
    1: "the same model, and an engine of the same tactics",
    2: "the same model, and the same engine, byte for byte",
}


def lock(  # its options
    recipes: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Built recipes; with --check, all below here that have a lock by default.",
            metavar="RECIPE",
            show_default=False,
        ),
    ] = None,
    *,
    variant: VariantsOption = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing; exit code 5 if a lock does not hold, 1 if a gate in it failed.",
        ),
    ] = False,
    build_dir: Annotated[
        Path,
        typer.Option(
            "--build-dir", metavar="DIR", help="Where `--check` looks for what was placed."
        ),
    ] = Path("build"),
    requirements: Annotated[
        bool,
        typer.Option("--requirements", help="Write nothing; list the lock's tools as pip's pins."),
    ] = False,
    target: Annotated[
        str,
        typer.Option(
            "--target", metavar="NAME", help="Of `--requirements`: for the Python of this target."
        ),
    ] = "",
    format_: FormOption = Form.text,
) -> int:
    """Write down beside a recipe what it was built from and what came of it."""
    from trtbuild import api
    from trtbuild.core.errors import UsageError

    recipes = list(api.name_variants(recipes or (), variant or ()))
    if check:
        found = api.expand_variants(recipes) if recipes else api.find_locked_recipes(Path())
        if not found and format_ is Form.text:
            echo("no recipe below here has a lock")
        told = [_check(recipe, build_dir, format_) for recipe in found]
        if format_ is Form.json:
            write_json({"locks": told})
        return max((each["exit_code"] for each in told), default=0)
    if not recipes:
        raise UsageError("no recipe is named", hint="trtbuild lock recipes/NAME.yaml")
    chosen = api.expand_variants(recipes)
    if requirements:
        pins = api.list_requirements(chosen, target=target)
        if format_ is Form.json:
            write_json({"requirements": pins})
        else:
            pour("\n".join(pins))
        return 0
    told = [_write(recipe, format_) for recipe in chosen]
    if format_ is Form.json:
        write_json({"locks": told})
    return 0


def _write(recipe: Path, form: Form) -> dict[str, Any]:
    """Write a lock, say so, and return what was said."""
    from trtbuild import api
    from trtbuild.cli.show import format_verdict

    path, changed, found = api.lock(recipe)
    failed = api.list_failed_gates(recipe)
    if form is Form.text:
        echo(f"{path}: {'written' if changed else 'unchanged'}")
        for name, target in found.targets.items():
            echo(f"  {name}: level {target.level}: a rebuild gives {LEVELS[target.level]}")
    for verdict in failed:
        what = "whose gate failed" if verdict.judged else "with a gate that was not judged"
        echo(f"warning: {path} locks a build {what}: {format_verdict(verdict)}", err=True)
    levels = {name: target.level for name, target in found.targets.items()}
    return {"path": path, "changed": changed, "levels": levels, "failed_gates": failed}


def _check(recipe: Path, build_dir: Path, form: Form) -> dict[str, Any]:
    """Hold a recipe to its lock, say so, and return it; one that does not hold hides no other."""
    from trtbuild import api
    from trtbuild.cli.show import write_failure
    from trtbuild.core.errors import TrtbuildError

    try:
        path, remarks = api.check_lock(recipe, build_dir=build_dir)
    except TrtbuildError as error:
        code = write_failure(error)
        return {"recipe": recipe, "holds": False, "exit_code": code, "error": error.message}
    if form is Form.text:
        echo(f"{path}: holds")
        for each in remarks:
            echo(f"  {each}")
    failed = api.list_locked_failures(recipe)
    for each in failed:
        echo(f"{path}: {each}", err=True)
    told = {"path": path, "remarks": remarks, "failed_gates": failed}
    return {"recipe": recipe, "holds": True, "exit_code": 1 if failed else 0, **told}
