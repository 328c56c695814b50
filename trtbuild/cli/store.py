"""trtbuild store: ls, du, verify, gc."""

from __future__ import annotations

from typing import Annotated

import typer

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.form import Form, FormOption, write_json

__all__ = ["store"]

DAMAGED = 5

store = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look after the store, where results of steps are kept.",
)


@store.command()
def ls(*, format_: FormOption = Form.text) -> None:
    """List the steps whose results are kept, with the recipes whose last run used them."""
    from trtbuild import api
    from trtbuild.cli.show import format_table
    from trtbuild.core.words import abbreviate, format_size
    from trtbuild.store import maintenance

    found = maintenance.list_entries(api.open_store())
    if format_ is Form.json:
        write_json({"steps": found})
        return
    rows = [
        (
            ", ".join(each.recipes) or "-",
            each.step,
            abbreviate(each.digest),
            format_size(each.size_bytes),
            "" if each.complete else "incomplete: it runs again",
        )
        for each in found
    ]
    pour(format_table([("recipe", "step", "digest", "size", ""), *rows]))


@store.command()
def du(*, format_: FormOption = Form.text) -> None:
    """Say how much the store holds, and for which recipes."""
    from trtbuild import api
    from trtbuild.cli.show import format_table
    from trtbuild.core.words import format_size
    from trtbuild.store import maintenance

    found = maintenance.measure_usage(api.open_store())
    if format_ is Form.json:
        write_json(found)
        return
    rows = [(name, format_size(count)) for name, count in sorted(found.by_recipe.items())]
    rows += [
        ("in no last run", format_size(found.unused)),
        ("work and logs", format_size(found.work)),
        ("records", format_size(found.records)),
        ("stamps", format_size(found.stamps)),
    ]
    pour(format_table([*rows, ("total", format_size(found.total))]))
    echo(f"in {found.root}")


@store.command()
def verify(*, format_: FormOption = Form.text) -> int:
    """Read everything in the store; what is damaged is removed, and made again when needed."""
    from trtbuild import api
    from trtbuild.cli.show import format_count
    from trtbuild.core.words import format_size
    from trtbuild.store import maintenance

    found = maintenance.verify_store(api.open_store())
    damaged = bool(found.damaged or found.unreadable)
    if format_ is Form.json:
        write_json(found)
        return DAMAGED if damaged else 0
    told = f"{format_count(found.objects, 'object')} read, {format_size(found.size_bytes)}"
    if not damaged:
        echo(f"{told}: all are whole")
        return 0
    for digest in found.damaged:
        echo(f"  damaged: {digest}")
    for name in found.unreadable:
        echo(f"  damaged: {name}")
    records = format_count(len(found.unreadable), "record")
    echo(f"{told}: {len(found.damaged)} damaged, and {records} of steps; all removed")
    echo("the next apply makes again what it needs of them")
    return DAMAGED


@store.command()
def gc(
    *,
    keep: Annotated[
        int, typer.Option("--keep", min=1, max=10, help="How many runs of each recipe to keep.")
    ] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    format_: FormOption = Form.text,
) -> None:
    """Remove what neither a recipe's last runs nor a lock needs."""
    from trtbuild import api
    from trtbuild.cli.show import format_count
    from trtbuild.core.words import format_size
    from trtbuild.store import maintenance

    found = maintenance.collect_garbage(api.open_store(), runs=keep, pretend=dry_run)
    if format_ is Form.json:
        write_json(found)
        return
    word = "would remove" if dry_run else "removed"
    what = f"{format_count(found.objects, 'object')} of {format_count(found.steps, 'step')}"
    echo(f"{word} {what}, {format_size(found.size_bytes)}; {format_size(found.kept_bytes)} kept")
    if found.stamps:
        stamps = format_count(found.stamps, "stamp")
        echo(f"{word} {stamps}, {format_size(found.stamps_bytes)}: answers that are found anew")
