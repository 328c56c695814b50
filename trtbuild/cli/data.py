"""trtbuild data: preview."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.form import Form, FormOption, VariantOption, write_json

if TYPE_CHECKING:
    from trtbuild.verbs.preview import PreviewedData

__all__ = ["data"]

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look at what a recipe's model will be fed.",
)


@data.callback()
def _group() -> None:
    """Keep the verb's name: a group of one verb would swallow it."""


@data.command()
def preview(  # noqa: PLR0913  # its options
    recipe: Annotated[
        Path, typer.Argument(help="The recipe whose data to show.", metavar="RECIPE")
    ],
    *,
    variant: VariantOption = "",
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--data", metavar="NAME", help="Only this data set; may be repeated. All by default."
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--samples", min=1, max=400, metavar="N", help="So many samples of each.")
    ] = 16,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where NAME.png and NAME.html go."),
    ] = None,
    build_dir: Annotated[
        Path,
        typer.Option("--build-dir", metavar="DIR", help="Else, where <recipe name>/preview/ goes."),
    ] = Path("build"),
    without_model: Annotated[
        bool,
        typer.Option("--without-model", help="Do not import the model to ask its first layer."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only results, and errors.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also reasons, and reused steps.")
    ] = False,
    format_: FormOption = Form.text,
) -> None:
    """Write a contact sheet of what the model will see, and say what looks wrong."""
    from trtbuild import api
    from trtbuild.cli.progress import choose_listener

    with choose_listener(quiet=quiet, verbose=verbose) as listener:
        found = api.preview_data(
            api.name_variant(recipe, variant),
            build_dir=build_dir,
            out=out,
            data=names or (),
            count=count,
            model=not without_model,
            listener=listener,
        )
    if format_ is Form.json:
        write_json({"data": [{**each.preview.model_dump(), "files": [each.sheet, each.page]}
                             for each in found]})  # fmt: skip
        return
    for each in found:
        _write(each)


def _write(found: PreviewedData) -> None:
    from trtbuild.cli.show import format_table

    shown = found.preview
    echo(f"{shown.data}: {len(shown.names)} of {shown.of} samples, {shown.source}")
    rows: list[tuple[str, ...]] = [("  input", "channel", "least", "largest", "mean", "deviation")]
    rows += [
        (
            f"  {each.name}",
            channel.name,
            *(f"{v:.4g}" for v in (channel.low, channel.high, channel.mean, channel.deviation)),
        )
        for each in shown.inputs
        for channel in each.channels
    ]
    pour(format_table(rows, indent=""))
    first = shown.first_layer
    if first is not None:
        own = first.distances["as they are"]
        echo(f"  the first layer ({first.layer}): {own:.2f} deviations from its training")
    elif shown.unknown:
        echo(f"  what the first layer expects is not known: {shown.unknown}")
    for told in (*shown.doubts, *found.warnings):
        echo(f"  warning: {told}")
    echo(f"  {found.sheet}, {found.page.name}")
