"""trtbuild store: ls, du, verify, gc."""

from __future__ import annotations

from typing import Annotated

import typer

from trtbuild.cli.echo import echo

__all__ = ["store"]

store = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look after the store, where results of steps are kept.",
)


@store.command()
def ls() -> None:
    """List the steps whose results are kept, with the recipes whose last run used them."""
    from trtbuild import api
    from trtbuild.cli.show import table
    from trtbuild.core.words import brief, size
    from trtbuild.store import upkeep

    rows = [
        (
            ", ".join(each.recipes) or "-",
            each.step,
            brief(each.digest),
            size(each.size_bytes),
            "" if each.complete else "incomplete: it runs again",
        )
        for each in upkeep.entries(api.store())
    ]
    echo(table([("recipe", "step", "digest", "size", ""), *rows]))


@store.command()
def du() -> None:
    """Say how much the store holds, and for which recipes."""
    from trtbuild import api
    from trtbuild.cli.show import table
    from trtbuild.core.words import size
    from trtbuild.store import upkeep

    found = upkeep.usage(api.store())
    rows = [(name, size(count)) for name, count in sorted(found.by_recipe.items())]
    rows += [("in no last run", size(found.unused)), ("work and logs", size(found.work))]
    echo(table([*rows, ("total", size(found.total + found.work))]))
    echo(f"in {found.root}")


@store.command()
def verify() -> int:
    """Read everything in the store; what is damaged is removed, and made again when needed."""
    from trtbuild import api
    from trtbuild.cli.show import plural
    from trtbuild.core.words import size
    from trtbuild.store import upkeep

    found = upkeep.verify(api.store())
    told = f"{plural(found.objects, 'object')} read, {size(found.size_bytes)}"
    if not found.damaged and not found.unreadable:
        echo(f"{told}: all are whole")
        return 0
    for digest in found.damaged:
        echo(f"  damaged: {digest}")
    for name in found.unreadable:
        echo(f"  damaged: {name}")
    records = plural(len(found.unreadable), "record")
    echo(f"{told}: {len(found.damaged)} damaged, and {records} of steps; all removed")
    echo("the next apply makes again what it needs of them")
    return 5


@store.command()
def gc(
    *,
    keep: Annotated[
        int, typer.Option("--keep", min=1, max=10, help="How many runs of each recipe to keep.")
    ] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
) -> None:
    """Remove what neither a recipe's last runs nor a lock needs."""
    from trtbuild import api
    from trtbuild.cli.show import plural
    from trtbuild.core.words import size
    from trtbuild.store import upkeep

    found = upkeep.collect(api.store(), runs=keep, pretend=dry_run)
    word = "would remove" if dry_run else "removed"
    what = f"{plural(found.objects, 'object')} of {plural(found.steps, 'step')}"
    echo(f"{word} {what}, {size(found.size_bytes)}; {size(found.kept_bytes)} kept")
