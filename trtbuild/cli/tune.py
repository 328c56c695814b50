"""trtbuild tune."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.form import (
    BatchOption,
    BuildDirOption,
    DeviceOption,
    ExecutorOption,
    Form,
    FormOption,
    JobsOption,
    VariantOption,
    write_json,
)

__all__ = ["tune"]

SECONDS = {"s": 1, "m": 60, "h": 3600}


def tune(  # noqa: PLR0913  # its options
    recipe: Annotated[
        Path, typer.Argument(help="The recipe whose gates to reach.", metavar="RECIPE")
    ],
    *,
    variant: VariantOption = "",
    budget: Annotated[
        str,
        typer.Option(
            "--budget",
            metavar="TIME",
            help="Nothing new is begun after so long: 90s, 30m, 2h. What is known costs none.",
        ),
    ] = "30m",
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="NAME",
            help="Search on this data set of the recipe, and judge the best on that of `compare`.",
        ),
    ] = "",
    write: Annotated[
        bool, typer.Option("--write", help="Change the recipe, where the gates are reached.")
    ] = False,
    best: Annotated[
        bool, typer.Option("--best", help="With --write: the best found, reached or not.")
    ] = False,
    build_dir: BuildDirOption = Path("build"),
    jobs: JobsOption = 1,
    executor: ExecutorOption = "local",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only the answer, and errors.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="All that was tried; also the steps of each.")
    ] = False,
    device: DeviceOption = None,
    batch: BatchOption = None,
    format_: FormOption = Form.text,
) -> int:
    """Find the least float work that holds the gates, as a patch; exit code 1 if none does."""
    from trtbuild import api
    from trtbuild.cli.progress import choose_listener
    from trtbuild.cli.show_tune import make_teller, write_tuning
    from trtbuild.core.errors import UsageError

    recipe = api.name_variant(recipe, variant)
    seconds = _read_time(budget)
    if best and not write:
        raise UsageError("--best says what --write may write", hint="--write --best")
    with choose_listener(quiet=not verbose, verbose=verbose) as listener:
        found = api.tune(
            recipe,
            build_dir=build_dir,
            budget_seconds=seconds,
            data=data,
            write=write,
            best=best,
            jobs=jobs,
            executor=executor,
            device=device,
            batch=batch,
            listener=listener,
            tell=None if quiet else make_teller(),
        )
    if format_ is Form.json:
        told = {"file": found.file, "written": found.written, "notes": found.notes}
        write_json({**told, **dict(found.tuning)})
    else:
        write_tuning(found, recipe, verbose=verbose, wrote=write)
    return 0 if found.tuning.passed else 1


def _read_time(text: str) -> float:
    from trtbuild.core.errors import UsageError

    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smh])", text.strip().lower())
    if match is None:
        raise UsageError(f"`{text}` is no time", hint="write 90s, 30m or 2h")
    return float(match[1]) * SECONDS[match[2]]
