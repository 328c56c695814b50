"""How what became of many recipes looks in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.form import write_json
from trtbuild.cli.show import format_count, format_table

if TYPE_CHECKING:
    from trtbuild.verbs.fleet.build import FleetBuild, FleetRecipe

__all__ = ["write_fleet", "write_fleet_json", "write_recipe"]


def write_recipe(found: FleetRecipe, *, quiet: bool, verbose: bool) -> None:
    """Write how one recipe ended: its summary, or why it failed."""
    from trtbuild.cli import show

    if found.applied is not None:
        show.write_applied(found.applied, quiet=quiet, verbose=verbose)
        return
    placed = ": error: " in found.message.partition("\n")[0]  # it says where by itself
    pour(found.message if placed else f"error: {found.file}: {found.message}", err=True)
    if found.log:
        echo(f"log: {found.log}", err=True)
    if found.hint:
        echo(f"hint: {found.hint}", err=True)


def write_fleet(build: FleetBuild) -> None:
    """Write a table of what became of each recipe, and who built what."""
    rows = [("recipe", "", "steps", "seconds", "on"), *map(_row, build.recipes)]
    pour(format_table(rows))
    words = ("built", "nothing to do", "gate failed", "failed")
    counts = {word: sum(each.verdict == word for each in build.recipes) for word in words}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    echo(f"{format_count(len(build.recipes), 'recipe')}: {told or 'none'}; {build.seconds:.1f} s")
    for each in build.recipes:
        if each.verdict == "failed":
            echo(f"  failed: {each.file}: {each.message.splitlines()[0]}", err=True)


def _row(found: FleetRecipe) -> tuple[str, str, str, str, str]:
    outcomes = found.applied.overview.outcomes if found.applied else ()
    ran = [each for each in outcomes if each.status == "ran"]
    where = sorted({each.where.partition(",")[0] for each in ran if ", " in each.where})
    return (
        str(found.file),
        found.verdict,
        f"{len(ran)} of {len(outcomes)} ran" if outcomes else "",
        f"{found.seconds:.1f}",
        ", ".join(where) or ("here" if ran else ""),
    )


def write_fleet_json(build: FleetBuild) -> None:
    """Write the same, and all records, for programs."""
    builds = [each.applied.to_tree() for each in build.recipes if each.applied is not None]
    recipes = [
        {
            "file": Path(each.file), "verdict": each.verdict, "seconds": each.seconds,
            "message": each.message, "hint": each.hint, "log": each.log, "code": each.code,
        }
        for each in build.recipes
    ]  # fmt: skip
    write_json({"passed": build.code == 0, "builds": builds, "recipes": recipes})
