"""trtbuild inspect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from trtbuild.core.records import TargetResult

__all__ = ["inspect"]


def inspect(
    engine: Annotated[Path, typer.Argument(help="An engine file.", metavar="ENGINE")],
    *,
    output: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How to print it.")
    ] = "text",
) -> int:
    """Say what an engine is and whether it fits this machine; exit code 1 if it does not."""
    from trtbuild import api

    found = api.inspect(engine)
    if output == "json":
        typer.echo(found.model_dump_json(indent=2))
    else:
        typer.echo(f"{found.file}: {found.size_bytes} bytes")
        typer.echo(f"  {found.flavour} {found.version}".rstrip())
        if found.built_for:
            typer.echo(f"  for {', '.join(found.built_for)}")
        if found.result is not None:
            _told(found.result)
        for note in found.notes:
            typer.echo(f"  note: {note}")
        typer.echo(f"fits this machine: {found.fits} ({found.reason})")
    return 1 if found.fits == "no" else 0


def _told(result: TargetResult) -> None:
    typer.echo(f"  target `{result.target}` ({result.backend}), model {result.model_digest[:19]}")
    for word, specs in (("input", result.inputs), ("output", result.outputs)):
        for spec in specs:
            typer.echo(f"  {word} `{spec['name']}` {spec['dtype']} {_shape(spec['shape'])}")
    for index, profile in enumerate(result.profiles):
        for name, shapes in profile.items():
            sizes = ", ".join(f"{word} {_shape(shape)}" for word, shape in shapes.items())
            typer.echo(f"  profile {index}: `{name}` {sizes}")
    typer.echo(
        f"  INT8: asked for in {result.asked_int8} layers, delivered in {result.delivered_int8}"
    )
    for caveat in result.caveats:
        typer.echo(f"  caveat: {caveat}")


def _shape(shape: object) -> str:
    return f"[{', '.join(map(str, shape))}]" if isinstance(shape, list) else str(shape)
