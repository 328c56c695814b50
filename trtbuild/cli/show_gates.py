"""How it looks in a terminal that gates refused a build, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo
from trtbuild.core.words import join_few

if TYPE_CHECKING:
    from trtbuild.core.overview import Overview

__all__ = ["write_outcome_of_gates"]

MOST = 6


def write_outcome_of_gates(run: Overview, start: str) -> None:
    """Say what became of the files where a gate did not pass, and what to do next."""
    if run.waived:
        told = "placed all the same (--no-gates): report.md and engine.json say so too"
        echo(f"{start}{told}", err=True)
    elif run.kept:
        told = f"of earlier runs these stay as they were: {join_few(run.kept, MOST)}"
        echo(f"{start}no model and no engine of this run was placed; {told}", err=True)
    else:
        told = "no model and no engine of this run was placed, and none was there before"
        echo(f"{start}{told}", err=True)
    if run.only_unrun_engines_fail():
        echo(
            "hint: the model and what ran pass; mend what keeps an engine from running here, or "
            "compare the model alone with `CUDA_VISIBLE_DEVICES=`",
            err=True,
        )
        return
    place = "" if run.waived else "; --no-gates places it as it is"
    echo(
        f"hint: `trtbuild sensitivity {run.file}` says which layers cost most, `trtbuild tune "
        f"{run.file}` looks for the least float work that passes{place}",
        err=True,
    )
