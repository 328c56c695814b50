"""trtbuild bench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from trtbuild.cli.form import (
    BuildDirOption,
    DeviceOption,
    ExecutorOption,
    Form,
    FormOption,
    VariantsOption,
    write_json,
)

__all__ = ["bench"]


def bench(  # noqa: PLR0913  # its options
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="A recipe; or ONNX models and engines.", metavar="RECIPE|MODEL|ENGINE..."
        ),
    ],
    *,
    variant: VariantsOption = None,
    batch: Annotated[
        list[int] | None,
        typer.Option("--batch", min=1, metavar="N", help="A batch size; may be repeated."),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            "--shape",
            metavar="NAME=1x3x224x224",
            help="A set of shapes, inputs joined by commas; may be repeated.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="PATTERN",
            help="Only variants of such names (`int8/*`, `*/onnxruntime-cpu`); may be repeated.",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="S", help="How long each variant is timed at a shape."),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option("--iterations", metavar="N", help="So many calls instead.")
    ] = None,
    warmup: Annotated[
        float | None, typer.Option("--warmup", metavar="S", help="The cap on the warm-up.")
    ] = None,
    streams: Annotated[
        list[int] | None,
        typer.Option("--streams", metavar="N", help="Callers at once; may be repeated."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", help="Processor threads an operator.")
    ] = None,
    cuda_graphs: Annotated[
        bool, typer.Option("--cuda-graphs", help="Record GPU work once, and launch it as a whole.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="What inputs are drawn from.")
    ] = None,
    rate: Annotated[
        list[float] | None,
        typer.Option(
            "--rate",
            metavar="R",
            help="Requests a second that come whether or not those before are answered; may be "
            "repeated.",
        ),
    ] = None,
    arrivals: Annotated[
        str | None,
        typer.Option("--arrivals", metavar="poisson|uniform", help="By chance, or evenly."),
    ] = None,
    max_batch: Annotated[
        int | None,
        typer.Option("--max-batch", metavar="N", help="So many requests a call, at most."),
    ] = None,
    max_wait_ms: Annotated[
        float | None,
        typer.Option("--max-wait-ms", metavar="MS", help="Hold a call so long for more to come."),
    ] = None,
    data: Annotated[
        str, typer.Option("--data", metavar="NAME", help="The recipe's data set that is fed.")
    ] = "",
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="FILE|last",
            help="An earlier bench.json, the last bench, or what trtexec --exportTimes or "
            "--exportProfile wrote.",
        ),
    ] = "",
    no_cold: Annotated[
        bool, typer.Option("--no-cold", help="Start no variant in a process of its own.")
    ] = False,
    build_dir: BuildDirOption = Path("build"),
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where bench.json goes, without a recipe."),
    ] = None,
    executor: ExecutorOption = "local",
    device: DeviceOption = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only the tables, and errors.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also reused steps, and how each was warmed up.")
    ] = False,
    format_: FormOption = Form.text,
) -> int:
    """Time models and engines side by side, by one protocol; exit code 1 if a gate fails."""
    from trtbuild import api
    from trtbuild.cli.progress import choose_listener
    from trtbuild.cli.show_bench import write_bench

    typed: dict[str, Any] = {
        "seconds": seconds,
        "iterations": iterations,
        "warmup_seconds": warmup,
        "streams": streams,
        "threads": threads,
        "cuda_graphs": cuda_graphs or None,
        "seed": seed,
    }
    load: dict[str, Any] = {
        "rates": tuple(rate) if rate else None,
        "arrivals": arrivals,
        "max_batch": max_batch,
        "max_wait_ms": max_wait_ms,
    }
    with choose_listener(quiet=quiet, verbose=verbose) as listener:
        found = api.bench(
            *api.name_variants(paths, variant or ()),
            build_dir=build_dir,
            out=out,
            batches=batch or (),
            shapes=shape or (),
            only=only or (),
            protocol={name: each for name, each in typed.items() if each is not None},
            data=data,
            against=against,
            load={name: each for name, each in load.items() if each is not None},
            cold=not no_cold,
            executor=executor,
            device=device,
            listener=listener,
        )
    if format_ is Form.json:
        write_json({"files": found.files, **dict(found.result)})
    else:
        write_bench(found, verbose=verbose)
    return 0 if found.result.passed else 1
