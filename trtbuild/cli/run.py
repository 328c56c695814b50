"""trtbuild run."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trtbuild.cli.echo import echo
from trtbuild.cli.form import DeviceOption, Form, FormOption, VariantOption, write_json
from trtbuild.core.errors import UsageError

if TYPE_CHECKING:
    from trtbuild.verbs.running.run import RunResult

__all__ = ["run"]

INPUT = "Pictures, a video, text, sound, or a folder of these; or an npz file of whole arrays."
OUTPUT = "Where to keep outputs (.npz), pictures drawn on (a folder, .png) or a video (.mp4)."


def run(  # noqa: PLR0913  # its options
    what: Annotated[
        Path,
        typer.Argument(
            help="A recipe that is built, an engine, or a pipeline.",
            metavar="RECIPE|ENGINE|PIPELINE",
        ),
    ],
    *,
    variant: VariantOption = "",
    inputs: Annotated[Path | None, typer.Option("--input", help=INPUT, metavar="PATH")] = None,
    output: Annotated[Path | None, typer.Option("--output", help=OUTPUT, metavar="PATH")] = None,
    data: Annotated[
        str,
        typer.Option("--data", metavar="NAME", help="Whose preprocessing; what `compare` reads."),
    ] = "",
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="K", help="So many classes of a classifier.")
    ] = 5,
    names: Annotated[
        Path | None,
        typer.Option("--names", metavar="FILE", help="The names of the classes, a line each."),
    ] = None,
    fp32: Annotated[
        bool, typer.Option("--fp32", help="The FP32 model; with --quantized both, side by side.")
    ] = False,
    quantized: Annotated[
        bool, typer.Option("--quantized", help="The quantized model, whatever its type.")
    ] = False,
    int8: Annotated[
        bool, typer.Option("--int8", help="The same, where that type is INT8.")
    ] = False,
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
    engine: Annotated[
        bool, typer.Option("--engine", help="The engine itself, as `--on gpu`; else an error.")
    ] = False,
    plugins: Annotated[
        list[Path] | None,
        typer.Option("--plugin", help="A library with plugins that an engine needs."),
    ] = None,
    device: DeviceOption = None,
    format_: FormOption = Form.text,
) -> None:
    """Run an engine on the GPU it is for; elsewhere its model, in ONNX Runtime on the CPU.

    Of a pipeline, all of its stages at once.
    """
    from trtbuild import api
    from trtbuild.pipeline.load import demand_yaml, is_pipeline

    what = api.name_variant(what, variant)
    if is_pipeline(what):
        _run_pipeline(what, inputs, build_dir, format_)
        return
    if inputs is None:
        demand_yaml(what)
        raise UsageError(
            "`--input` is missing: what is it to run on?", hint=f"--input PATH: {INPUT}"
        )
    from trtbuild.cli.show_run import describe_answers, show_answers
    from trtbuild.verbs.running.feeding import is_arrays

    on = "gpu" if engine else on
    named = {"fp32": fp32, "quantized": quantized, "int8": int8 and not quantized}
    sides = tuple(side for side, asked in named.items() if asked)
    if sides and on == "gpu":
        raise UsageError("--fp32, --quantized and --int8 run models", hint="leave out `--on gpu`")
    if is_arrays(inputs):
        if len(sides) > 1:
            raise UsageError("of arrays one model runs at a time", hint="--fp32, or --quantized")
        if output is not None and output.exists() and output.samefile(inputs):
            raise UsageError(f"--output: {output}: is what is read", hint="name another file")
        ran = api.run(
            what,
            inputs,
            build_dir=build_dir,
            output=output,
            target=target,
            on=on,
            plugins=plugins or (),
            side="".join(sides),
            device=device,
        )
        _write_arrays(ran, output, format_)
        return
    with api.run_samples(
        what,
        inputs,
        build_dir=build_dir,
        data=data,
        names=_read_names(names),
        top=top,
        sides=sides,
        target=target,
        on=on,
        plugins=plugins or (),
        device=device,
    ) as runs:
        if format_ is Form.json:
            write_json({"samples": describe_answers(runs, output)})
        else:
            show_answers(runs, output)


def _run_pipeline(path: Path, inputs: Path | None, build_dir: Path, form: Form) -> None:
    from trtbuild import api
    from trtbuild.cli.show_pipeline import show_memory, show_progress, show_summary
    from trtbuild.pipeline.load import load_pipeline

    if inputs is not None:
        raise UsageError(
            f"{path}: a pipeline names its source itself", hint="leave out `--input`, or edit it"
        )
    endless = load_pipeline(path).pipeline.source.kind == "camera"
    with _heeding_signals(endless=endless) as ended:
        found = api.run_pipeline(
            path, build_dir=build_dir, tell=show_progress, planned=show_memory, ended=ended
        )
    if form is Form.json:
        write_json(found)
    else:
        show_summary(found)


@contextlib.contextmanager
def _heeding_signals(*, endless: bool) -> Iterator[Callable[[], bool]]:
    """Have the interrupt key, or SIGTERM, end a source that has no end; the second time, all.

    Else they interrupt: SIGTERM by itself would leave behind what is half written.
    """
    asked: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if not endless or asked:
            raise KeyboardInterrupt
        asked.append(number)

    ours = {each: signal.signal(each, note) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for each, handler in ours.items():
            signal.signal(each, handler)


def _read_names(path: Path | None) -> tuple[str, ...]:
    from trtbuild.data.class_folders import read_class_names

    return () if path is None else read_class_names(path, unlike=False)


def _write_arrays(ran: RunResult, output: Path | None, form: Form) -> None:
    if form is Form.json:
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
