"""How the warnings of an apply look in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo

if TYPE_CHECKING:
    from trtbuild.core.overview import Overview

__all__ = ["MOST_WARNINGS", "write_warnings"]

MOST_WARNINGS = 6
"""Shown of an apply that does not ask for all; the rest is counted, and stands in the report."""


def write_warnings(run: Overview, *, quiet: bool, verbose: bool) -> None:
    """Write each warning once, however many targets it is about; of many, the first few.

    A quiet apply writes them to standard error, where nothing else is.
    """
    found = run.list_warnings()
    shown = (
        list(found) if verbose or len(found) <= MOST_WARNINGS else list(found)[: MOST_WARNINGS - 1]
    )
    start = f"{run.recipe}: warning:" if quiet else "  warning:"
    for warning in shown:
        steps = f" {', '.join(found[warning])}:" if verbose and found[warning] else ""
        echo(f"{start}{steps} {warning}", err=quiet)
    if len(shown) < len(found):
        echo(f"{start} {len(found) - len(shown)} more; report.md has them all", err=quiet)
