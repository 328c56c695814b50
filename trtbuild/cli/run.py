"""trtbuild run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from trtbuild.cli.echo import echo
from trtbuild.cli.form import DeviceOption, Form, FormOption, write_json

__all__ = ["run"]


def run(  # noqa: PLR0913  # its options
    what: Annotated[
        Path, typer.Argument(help="A recipe that is built, or an engine.", metavar="RECIPE|ENGINE")
    ],
    *,
    inputs: Annotated[Path, typer.Option("--input", help="An npz file: an array a model input.")],
    output: Annotated[
        Path | None, typer.Option("--output", help="Where to write the outputs, as npz.")
    ] = None,
    build_dir: Annotated[
        Path, typer.Option("--build-dir", help="Where a recipe's results lie.")
    ] = Path("build"),
    target: Annotated[
        str, typer.Option("--target", help="Which of a recipe's engines; the first that fits else.")
    ] = "",
    on: Annotated[
        Literal["any", "gpu", "cpu"],
        typer.Option("--on", help="The engine on the GPU, or its model on the CPU."),
    ] = "any",
    plugins: Annotated[
        list[Path] | None,
        typer.Option("--plugin", help="A library with plugins that an engine needs."),
    ] = None,
    device: DeviceOption = None,
    format_: FormOption = Form.text,
) -> None:
    """Run an engine on the GPU it is for; elsewhere its model, in ONNX Runtime on the CPU."""
    from trtbuild import api

    ran = api.run(
        what,
        inputs,
        build_dir=build_dir,
        output=output,
        target=target,
        on=on,
        plugins=plugins or (),
        device=device,
    )
    if format_ is Form.json:
        described = {
            name: {"dtype": array.dtype.name, "shape": array.shape, "file": output}
            for name, array in ran.outputs.items()
        }
        write_json({"model": ran.model, "ran": ran.told, "outputs": described})
        return
    echo(f"ran {ran.told}")
    for name, array in ran.outputs.items():
        shape = ", ".join(map(str, array.shape))
        first = ", ".join(f"{value:.4g}" for value in array.reshape(-1)[:5])
        more = ", ..." if array.size > 5 else ""  # noqa: PLR2004
        echo(f"  {name} {array.dtype.name} [{shape}]: {first}{more}")
    if output is not None:
        echo(f"wrote {output}")
