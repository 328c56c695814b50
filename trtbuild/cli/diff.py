"""trtbuild diff."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trtbuild.cli.echo import pour
from trtbuild.cli.form import VariantsOption

if TYPE_CHECKING:
    from trtbuild.core.bench_diff import BenchDiff

__all__ = ["DiffFormat", "diff"]


class DiffFormat(StrEnum):
    """How a difference is written."""

    text = "text"
    json = "json"
    markdown = "markdown"


def diff(
    sides: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Two recipes, two locks or two bench.json; with --git, recipes to look at.",
            metavar="OLD NEW|RECIPE",
            show_default=False,
        ),
    ] = None,
    *,
    variant: VariantsOption = None,
    git: Annotated[
        str, typer.Option("--git", metavar="A...B", help="Recipes at two revisions.")
    ] = "",
    format_: Annotated[
        DiffFormat, typer.Option("--format", help="How the difference is written.")
    ] = DiffFormat.text,
) -> int:
    """Say what differs in meaning between two recipes or locks; exit code 1 if anything does."""
    from trtbuild import api
    from trtbuild.core.errors import UsageError
    from trtbuild.report.difference import render_differences
    from trtbuild.report.pull_request import render_differences_markdown

    sides = list(api.name_variants(sides or (), variant or ()))
    if git:
        found = api.diff_git(git, recipes=api.expand_variants(sides))
    elif len(sides) != 2:  # noqa: PLR2004
        raise UsageError("two recipes or locks are compared", hint="trtbuild diff OLD NEW")
    elif (times := api.diff_benches(sides[0], sides[1])) is not None:
        return _write_times(times, format_)
    else:
        found = (api.diff(sides[0], sides[1]),)
    if format_ is DiffFormat.json:
        pour(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
    else:
        write = (
            render_differences_markdown if format_ is DiffFormat.markdown else render_differences
        )
        pour(write(found))
    return 1 if any(each.differ for each in found) else 0


def _write_times(found: BenchDiff, format_: DiffFormat) -> int:
    """Write how two results of a bench differ."""
    if format_ is DiffFormat.json:
        from trtbuild.cli.form import write_json

        write_json(found)
    elif format_ is DiffFormat.markdown:
        from trtbuild.report.bench_diff import make_bench_diff_page
        from trtbuild.report.markdown import render_markdown_page

        pour(render_markdown_page(make_bench_diff_page(found)))
    else:
        from trtbuild.cli.show_bench_diff import write_bench_diff

        write_bench_diff(found)
    return 1 if found.differ else 0
