"""trtbuild refit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.form import DeviceOption, Form, FormOption, VariantOption

__all__ = ["refit"]


def refit(  # noqa: PLR0913  # its options
    what: Annotated[
        Path,
        typer.Argument(
            help="The engine, with the recipe that it was built by (--recipe); or that recipe.",
            metavar="ENGINE|RECIPE",
        ),
    ],
    *,
    weights: Annotated[
        Path,
        typer.Option(
            "--weights", metavar="FILE", help="Other weights: such a file as the recipe names."
        ),
    ],
    recipe: Annotated[
        Path | None, typer.Option("--recipe", metavar="RECIPE", help="What the engine is of.")
    ] = None,
    variant: VariantOption = "",
    target: Annotated[
        str, typer.Option("--target", metavar="NAME", help="Of a recipe with several: which.")
    ] = "",
    build_dir: Annotated[
        Path, typer.Option("--build-dir", metavar="DIR", help="Where the recipe was built.")
    ] = Path("build"),
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="DIR",
            help="For what comes of it; else <build dir>/<recipe name>-refit.",
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            "--samples", min=1, metavar="N", help="On which values are held to those of before."
        ),
    ] = 32,
    most_drift: Annotated[
        float,
        typer.Option(
            "--most-drift",
            min=1.0,
            metavar="FACTOR",
            help="By which a tensor's largest value may move.",
        ),
    ] = 2.0,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also notes and reused steps.")
    ] = False,
    device: DeviceOption = None,
    format_: FormOption = Form.text,
) -> int:
    """Let an engine take other weights, or say why to build it anew; exit code 1 then."""
    from trtbuild import api
    from trtbuild.cli.progress import choose_listener
    from trtbuild.cli.show_refit import demand_refitted, write_refit

    if recipe is None:
        what = api.name_variant(what, variant)
    else:
        recipe = api.name_variant(recipe, variant)
    with choose_listener(quiet=not verbose, verbose=verbose) as listener:
        found = api.refit(
            what,
            weights,
            recipe=recipe,
            build_dir=build_dir,
            target=target,
            to=to,
            samples=samples,
            most_drift=most_drift,
            device=device,
            listener=listener,
        )
    write_refit(found, form=format_)
    if found.passed:
        demand_refitted(found)
    return 0 if found.passed else 1
