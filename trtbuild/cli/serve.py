"""trtbuild serve."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.echo import echo

__all__ = ["serve"]


class ServingDevice(StrEnum):
    """What models run on."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


def serve(  # noqa: PLR0913  # its options
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Recipes that are built, bundles, engines, ONNX models.", metavar="PATH..."
        ),
    ],
    *,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="And the port.")] = 8000,
    build_dir: Annotated[
        Path, typer.Option("--build-dir", metavar="DIR", help="Where the recipes were built.")
    ] = Path("build"),
    device: Annotated[
        ServingDevice, typer.Option("--device", help="What models run on.")
    ] = ServingDevice.auto,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, max=64, help="Requests computed at the same time.")
    ] = 1,
    waiting: Annotated[
        int, typer.Option("--waiting", min=0, help="Requests that may wait; others get 503.")
    ] = 64,
    threads: Annotated[
        int, typer.Option("--threads", min=0, help="Of ONNX Runtime a model; 0: all cores.")
    ] = 0,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="For a request.")
    ] = 30.0,
    most_megabytes: Annotated[
        int, typer.Option("--most-mib", min=1, metavar="MIB", help="Size of a request.")
    ] = 64,
) -> None:
    """Serve models by the Open Inference Protocol (KServe v2), for trying and testing."""
    from trtbuild import api
    from trtbuild.serve.limits import Limits

    api.serve(
        paths,
        build_dir=build_dir,
        host=host,
        port=port,
        device=device.value,
        threads=threads,
        limits=Limits(most_megabytes << 20, timeout, waiting, at_once),
        tell=lambda models, address: _tell(models.engines, address),
    )


def _tell(engines: object, address: str) -> None:
    assert isinstance(engines, dict)  # noqa: S101  # models by their names
    for name, engine in engines.items():
        echo(f"{name}: {engine.described}")
        for why in engine.why:
            echo(f"  note: {why}")
    echo(f"{address}/v2/models/NAME/infer")
