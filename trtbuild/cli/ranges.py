"""trtbuild ranges."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from trtbuild.cli.echo import echo, pour
from trtbuild.core.errors import UsageError
from trtbuild.core.escape import escape_controls

__all__ = ["ranges"]

SOURCE = "A recipe, a build directory, a ranges.json, a TensorRT cache or `name: limit` lines."

ranges = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Show, compare, import and export tables of ranges.",
)


class TableFormat(StrEnum):
    """How a table is written."""

    text = "text"
    json = "json"
    markdown = "markdown"


class SortOrder(StrEnum):
    """What a table is sorted by."""

    name = "name"
    limit = "limit"
    clipped = "clipped"


class FileForm(StrEnum):
    """The form of a file of ranges."""

    tensorrt = "tensorrt"
    text = "text"
    json = "json"


class CacheNumbers(StrEnum):
    """What the numbers of a TensorRT cache are."""

    auto = "auto"
    scale = "scale"
    inverse = "inverse"
    limit = "limit"


SourceArgument = Annotated[Path, typer.Argument(help=SOURCE, metavar="SOURCE")]
FormatOption = Annotated[TableFormat, typer.Option("--format", help="How the table is written.")]
ValuesOption = Annotated[
    CacheNumbers,
    typer.Option(
        "--values", help="What a cache's numbers are: limit/127, 127/limit, or the limit."
    ),
]


def _share(text: str) -> float:
    number = text.removesuffix("%")
    try:
        found = float(number) / (100 if text != number else 1)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise UsageError(f"--tolerance: `{text}` is no share", hint="write 1% or 0.01")
    return found


def _split_values(values: Sequence[CacheNumbers] | None) -> tuple[Any, Any]:
    given = [each.value for each in values or (CacheNumbers.auto,)]
    if len(given) > len(("before", "after")):
        raise UsageError("--values: given more than twice", hint="once for both, or once for each")
    return given[0], given[-1]


def _write_bytes(data: bytes, form: FileForm) -> None:
    """Write a file's bytes as they are, but to a terminal in characters that it shows.

    JSON is the same, whichever of its characters are written out.

    Raises:
        UsageError: a name would act in the log of a build, and where the bytes go may be one.
    """
    text = data.decode()
    if sys.stdout.isatty() or form is FileForm.json:
        pour(text, nl=False)
        return
    if not _is_file(sys.stdout) and any(line != escape_controls(line) for line in text.split("\n")):
        raise UsageError(
            "a name holds what the log of a build, or a terminal, would obey",
            hint="write it to a file: -o FILE",
        )
    typer.echo(data, nl=False)


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


@ranges.command()
def show(
    source: SourceArgument,
    *,
    sort: Annotated[
        SortOrder,
        typer.Option("--sort", help="By name, or the largest limit or share clipped first."),
    ] = SortOrder.name,
    format_: FormatOption = TableFormat.text,
    values: ValuesOption = CacheNumbers.auto,
) -> None:
    """Show every range: limit, scale, share of values clipped, and where it comes from."""
    from trtbuild import api
    from trtbuild.cli import show_ranges

    show_ranges.write_table(api.find_ranges(source, values=values.value), sort.value, format_.value)


@ranges.command()
def diff(
    before: Annotated[Path, typer.Argument(help=SOURCE, metavar="BEFORE")],
    after: Annotated[Path, typer.Argument(help="The same.", metavar="AFTER")],
    *,
    tolerance: Annotated[
        str, typer.Option("--tolerance", help="Scales this close are equal: 1% or 0.01.")
    ] = "0",
    format_: FormatOption = TableFormat.text,
    values: Annotated[
        list[CacheNumbers] | None,
        typer.Option(
            "--values", help="What the numbers of caches are; given twice: of BEFORE's, of AFTER's."
        ),
    ] = None,
) -> int:
    """Say which limits moved, the worst first; exit code 1 if any did."""
    from trtbuild import api
    from trtbuild.cli import show_ranges

    found = api.diff_ranges(
        before, after, tolerance=_share(tolerance), values=_split_values(values)
    )
    show_ranges.write_diff(found, str(before), str(after), format_.value)
    return 1 if found.moved else 0


@ranges.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="A TensorRT cache, `name: limit` lines or JSON.", metavar="FILE")
    ],
    *,
    model: Annotated[Path | None, typer.Option("--model", help="The ONNX model.")] = None,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help="Or the recipe whose model it is for.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the table goes.")] = Path(
        "ranges.json"
    ),
    values: ValuesOption = CacheNumbers.auto,
) -> None:
    """Read ranges that were found before, and say how much of a model they cover."""
    from trtbuild import api

    found = api.import_ranges(file, model=model, recipe=recipe, output=output, values=values.value)
    for remark in found.remarks:
        echo(remark)
    echo(f"{len(found.ranges.tensors)} ranges in {output}")


@ranges.command()
def export(
    source: SourceArgument,
    *,
    format_: Annotated[FileForm, typer.Option("--format", help="What reads it.")],
    trt_version: Annotated[
        str, typer.Option("--trt-version", help="The TensorRT that is to read a cache: 10.16.1.")
    ] = "",
    algorithm: Annotated[
        str, typer.Option("--algorithm", help="What a cache's header says found the scales.")
    ] = "entropy2",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where it goes; otherwise it is shown.")
    ] = None,
    values: ValuesOption = CacheNumbers.auto,
) -> None:
    """Write ranges for TensorRT 10 or older (a calibration cache), as text or as JSON."""
    from trtbuild import api

    data = api.export_ranges(
        source,
        format_.value,
        version=trt_version,
        algorithm=algorithm,
        output=output,
        values=values.value,
    )
    if output is None:
        _write_bytes(data, format_)
    else:
        echo(f"wrote {output}")
