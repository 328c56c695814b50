"""trtbuild store: ls, du, verify, gc, push, pull."""

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

    found = maintenance.list_entries(api.open_local_store())
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

    found = maintenance.measure_usage(api.open_local_store())
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

    found = maintenance.verify_store(api.open_local_store())
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
    remote: Annotated[
        bool, typer.Option("--remote", help="Sweep the remote store, not the one here.")
    ] = False,
    days: Annotated[
        float,
        typer.Option(
            "--days", min=0, help="With --remote: leave what is younger; a build may be at it."
        ),
    ] = 7,
    format_: FormOption = Form.text,
) -> None:
    """Remove what neither a recipe's last runs nor a lock needs."""
    from trtbuild import api

    if remote:
        from trtbuild.cli.show_remote import write_collection

        write_collection(
            api.collect_remote(runs=keep, days=days, pretend=dry_run), format_, pretend=dry_run
        )
        return
    from trtbuild.cli.show import format_count
    from trtbuild.core.words import format_size
    from trtbuild.store import maintenance

    found = maintenance.collect_garbage(api.open_local_store(), runs=keep, pretend=dry_run)
    if format_ is Form.json:
        write_json(found)
        return
    word = "would remove" if dry_run else "removed"
    what = f"{format_count(found.objects, 'object')} of {format_count(found.steps, 'step')}"
    echo(f"{word} {what}, {format_size(found.size_bytes)}; {format_size(found.kept_bytes)} kept")
    if found.stamps:
        stamps = format_count(found.stamps, "stamp")
        echo(f"{word} {stamps}, {format_size(found.stamps_bytes)}: answers that are found anew")


Recipes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RECIPE]...", help="Names of recipes; all without.", show_default=False
    ),
]


@store.command()
def push(recipes: Recipes = None, *, format_: FormOption = Form.text) -> None:
    """Send what the last runs of recipes stand on to the remote store."""
    from trtbuild import api
    from trtbuild.cli.show_remote import write_exchange

    write_exchange(api.push_store(tuple(recipes or ())), format_, word="sent")


@store.command()
def pull(recipes: Recipes = None, *, format_: FormOption = Form.text) -> None:
    """Bring what the last runs of recipes stand on from the remote store."""
    from trtbuild import api
    from trtbuild.cli.show_remote import write_exchange

    write_exchange(api.pull_store(tuple(recipes or ())), format_, word="brought")
