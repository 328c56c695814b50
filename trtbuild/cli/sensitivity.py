"""trtbuild sensitivity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.form import (
    BuildDirOption,
    DeviceOption,
    ExecutorOption,
    Form,
    FormOption,
    JobsOption,
    VariantOption,
    write_json,
)

__all__ = ["sensitivity"]


def sensitivity(  # noqa: PLR0913  # its options
    recipe: Annotated[
        Path, typer.Argument(help="The recipe whose layers to measure.", metavar="RECIPE")
    ],
    *,
    variant: VariantOption = "",
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples",
            min=1,
            metavar="N",
            help="So many samples of the comparison's data; the recipe's number by default, or 32.",
        ),
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(
            "--layers",
            metavar="PATTERN",
            help="Only layers with such names, or `op:` and an operator; may be repeated.",
        ),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Not with all but each layer in INT8: half the cost.")
    ] = False,
    build_dir: BuildDirOption = Path("build"),
    jobs: JobsOption = 1,
    executor: ExecutorOption = "local",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only the table, and errors.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="All layers; also reasons, and reused steps.")
    ] = False,
    device: DeviceOption = None,
    format_: FormOption = Form.text,
) -> None:
    """Say what each layer costs in INT8: alone, and as the only one that is not; worst first."""
    from trtbuild import api
    from trtbuild.cli.progress import choose_listener
    from trtbuild.cli.show_sensitivity import write_cost, write_sensitivity

    recipe = api.name_variant(recipe, variant)
    with choose_listener(quiet=quiet, verbose=verbose) as listener:
        found = api.sensitivity(
            recipe,
            build_dir=build_dir,
            samples=samples,
            layers=layers or (),
            others=not alone,
            jobs=jobs,
            executor=executor,
            device=device,
            listener=listener,
            announce=(lambda _: None) if quiet else write_cost,
        )
    if format_ is Form.json:
        write_json({"file": found.file, "notes": found.notes, **dict(found.sensitivity)})
        return
    write_sensitivity(found, verbose=verbose)
