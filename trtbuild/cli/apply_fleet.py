"""trtbuild apply, of many recipes: folders of them, and those that a change concerns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.cli.echo import echo

if TYPE_CHECKING:
    from trtbuild.cli.do_apply import ApplyOutput
    from trtbuild.verbs.fleet.build import FleetRecipe

__all__ = ["apply_fleet"]


def apply_fleet(
    recipes: Sequence[Path],
    told: ApplyOutput,
    *,
    whole: Sequence[Path],
    executor: str,
    beside: int | None,
    junit: Path | None,
    **options: Any,
) -> int:
    """Build recipes, tell of each as it ends, and of all in the end; return the exit code.

    `whole` are the files that were named: of those with variants, their page is placed.
    """
    from trtbuild import api
    from trtbuild.cli import show_fleet
    from trtbuild.core.files import write_whole

    def tell(found: FleetRecipe) -> None:
        if told.form == "text":
            show_fleet.write_recipe(found, quiet=told.quiet, verbose=told.verbose)

    named = (beside or 1) > 1 or executor.startswith("ray")
    build = api.apply_fleet(
        recipes,
        executor=executor,
        beside=beside,
        listen=lambda path: told.listen(path, named=named),
        tell=tell,
        **options,
    )
    placed = [api.place_variants(each, build, build_dir=options["build_dir"]) for each in whole]
    if junit is not None:
        write_whole(junit, api.render_junit(build))
    if told.form == "json":
        show_fleet.write_fleet_json(build)
    elif not told.quiet:
        show_fleet.write_fleet(build)
        for each in filter(None, placed):
            echo(f"variants side by side in {each}/ (report.md)")
    return build.code
