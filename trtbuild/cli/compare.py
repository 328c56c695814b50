"""trtbuild compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trtbuild.cli.echo import echo
from trtbuild.cli.form import DeviceOption, Form, FormOption, write_json

if TYPE_CHECKING:
    from trtbuild.verbs.compare import ComparedPair

__all__ = ["compare"]


def compare(  # noqa: PLR0913  # its options
    reference: Annotated[
        Path, typer.Argument(help="Taken as right: an ONNX file, or an engine.", metavar="A")
    ],
    candidate: Annotated[
        Path, typer.Argument(help="Held against it: an ONNX file, or an engine.", metavar="B")
    ],
    *,
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="FILE|RECIPE:NAME",
            help="An npz file with an array for each input, axis 0 the samples (npy for one "
            "input); or a data set of a recipe, with that recipe's metrics, parts and gates.",
        ),
    ] = "",
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe", metavar="RECIPE", help="Data, metrics, parts and gates as it has them."
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="A metric, or one with options as in a recipe ('{kind: detection, ...}'); may "
            "be repeated.",
        ),
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option(
            "--gate",
            metavar="RULE",
            help="What must hold: 'sqnr_db >= 20', 'top1 drop <= 1%'; may be repeated.",
        ),
    ] = None,
    labels: Annotated[
        str, typer.Option("--labels", metavar="NAME", help="The array that holds the labels.")
    ] = "",
    plugins: Annotated[
        list[Path] | None,
        typer.Option("--plugin", help="A library with plugins that an engine needs."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where comparison.json and the report go."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only the table, and errors.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also reasons, notes and reused steps.")
    ] = False,
    device: DeviceOption = None,
    format_: FormOption = Form.text,
) -> int:
    """Compare two ONNX files or engines, without a recipe; exit code 1 if a gate fails."""
    from trtbuild import api
    from trtbuild.cli.progress import choose_listener

    with choose_listener(quiet=quiet, verbose=verbose) as listener:
        found = api.compare(
            reference,
            candidate,
            data=data,
            recipe=recipe,
            metrics=metric or (),
            gates=gate or (),
            labels=labels,
            plugins=plugins or (),
            out=out,
            device=device,
            listener=listener,
        )
    if format_ is Form.json:
        record = found.record
        answer = {"passed": found.passed, "comparison": found.comparison, "files": found.files}
        write_json({**answer, "notes": record.notes, "warnings": tuple(record.list_warnings())})
    else:
        _write_text(found, verbose=verbose)
    return 0 if found.passed else 1


def _write_text(found: ComparedPair, *, verbose: bool) -> None:
    from trtbuild.cli.show import format_verdict, write_comparison
    from trtbuild.cli.show_warnings import write_warnings

    record = found.record
    echo(record.recipe)
    write_comparison(found.comparison)
    write_warnings(record, quiet=False, verbose=verbose)
    if verbose:
        for outcome in record.outcomes:
            for note in outcome.notes:
                echo(f"  note: {outcome.step}: {note}")
    for note in record.notes:
        echo(f"  note: {note}")
    for verdict in found.comparison.verdicts:
        if not verdict.passed:
            word = "failed" if verdict.judged else "not judged"
            echo(f"gate {word}: {format_verdict(verdict)}", err=True)
    if found.files:
        echo(f"wrote {', '.join(map(str, found.files))}")
