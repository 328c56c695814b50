"""trtbuild inspect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.form import DeviceOption

if TYPE_CHECKING:
    from trtbuild.backends.tensorrt.engine import EngineDescription
    from trtbuild.core.records import TargetResult

__all__ = ["inspect"]


def inspect(
    engine: Annotated[Path, typer.Argument(help="An engine file.", metavar="ENGINE")],
    *,
    output: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How to print it.")
    ] = "text",
    plugins: Annotated[
        list[Path] | None, typer.Option("--plugin", help="A library with plugins that it needs.")
    ] = None,
    device: DeviceOption = None,
) -> int:
    """Say what an engine is and whether it fits this machine; exit code 1 if it does not."""
    from trtbuild import api

    found = api.inspect(engine, plugins=plugins or (), device=device)
    if output == "json":
        pour(found.model_dump_json(indent=2))
    else:
        echo(f"{found.file}: {found.size_bytes} bytes")
        echo(f"  {found.flavour} {found.version}".rstrip())
        if found.built_for:
            echo(f"  for {', '.join(found.built_for)}")
        if found.loaded is not None:
            _show_loaded(found.loaded)
        if found.result is not None:
            _show_engine(found.result, signature=found.loaded is None)
        for note in found.notes:
            echo(f"  note: {note}")
        echo(f"fits this machine: {found.fits} ({found.reason})")
    return 1 if found.fits == "no" else 0


def _show_loaded(engine: EngineDescription) -> None:
    for word, specs in (("input", engine.inputs), ("output", engine.outputs)):
        for spec in specs:
            echo(f"  {word} `{spec.name}` {spec.dtype} {_shape(list(spec.shape))}")
    for index, profile in enumerate(engine.profiles):
        for name, shapes in profile.items():
            pairs = zip(("min", "opt", "max"), shapes, strict=True)
            sizes = ", ".join(f"{word} {_shape(list(shape))}" for word, shape in pairs)
            echo(f"  profile {index}: `{name}` {sizes}")


def _show_engine(result: TargetResult, *, signature: bool) -> None:
    echo(f"  target `{result.target}` ({result.backend}), model {result.model_digest[:19]}")
    if signature:
        _signature(result)
    from trtbuild.core.delivered import DeliveredType, list_deliveries

    for each in list_deliveries(result) or (DeliveredType("INT8", 0, 0),):
        echo(f"  {each.word}: asked for in {each.asked} layers, delivered in {each.delivered}")
    for caveat in result.caveats:
        echo(f"  caveat: {caveat}")


def _signature(result: TargetResult) -> None:
    for word, specs in (("input", result.inputs), ("output", result.outputs)):
        for spec in specs:
            echo(f"  {word} `{spec['name']}` {spec['dtype']} {_shape(spec['shape'])}")
    for index, profile in enumerate(result.profiles):
        for name, shapes in profile.items():
            sizes = ", ".join(f"{word} {_shape(shape)}" for word, shape in shapes.items())
            echo(f"  profile {index}: `{name}` {sizes}")


def _shape(shape: object) -> str:
    return f"[{', '.join(map(str, shape))}]" if isinstance(shape, list) else str(shape)
