"""trtbuild init."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

__all__ = ["init"]


def init(  # its options
    model: Annotated[
        str,
        typer.Argument(
            help="An ONNX file, FILE.py:FUNCTION, a checkpoint, or a Hugging Face folder.",
            metavar="MODEL",
        ),
    ] = "",
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="PLACE", help="A folder or file of samples; random ones without it."
        ),
    ] = None,
    from_: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--from",
            metavar="TOOL COMMAND",
            help="An old command line to translate, in quotes: of trtexec, polygraphy or "
            "ultralytics.",
        ),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="NAME=SHAPE",
            help="An input of a module of PyTorch: x=batch,3,224,224 or ids=batch,20:int64.",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="FILE", help="The weights of a module of PyTorch."),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write it (- shows it); NAME.yaml here."
        ),
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
) -> None:
    """Write a first recipe of a model, which builds as it stands; what is a guess says so."""
    from trtbuild import api
    from trtbuild.cli.echo import echo, pour

    made = api.init(
        model,
        data=data,
        command=from_,
        inputs=tuple(inputs or ()),
        weights=weights,
        output=output,
        force=force,
    )
    if made.file is None:
        pour(made.text, nl=False)
    for note in made.notes:
        echo(f"note: {note}", err=made.file is None)
    if made.file is not None:
        echo(f"{made.file} is written: read it, then `trtbuild apply {quote(str(made.file))}`")
