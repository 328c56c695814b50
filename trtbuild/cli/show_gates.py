"""How it looks in a terminal that gates refused a build, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_table
from trtbuild.core.words import join_few

if TYPE_CHECKING:
    from trtbuild.core.sensitivity import Sensitivity
    from trtbuild.verbs.apply import AppliedRecipe

__all__ = ["write_outcome_of_gates"]

MOST = 6
WORST = 3
"""Layers that are named."""


def write_outcome_of_gates(done: AppliedRecipe, start: str) -> None:
    """Say what became of the files where a gate did not pass, and what to do next."""
    run = done.overview
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
    known = _write_worst(done.record.sensitivity, start)
    say = "measures each layer on more samples" if known else "says which layers cost most"
    place = "" if run.waived else "; --no-gates places it as it is"
    echo(
        f"hint: `trtbuild tune {run.file}` looks for the least float work that passes, `trtbuild "
        f"sensitivity {run.file}` {say}{place}",
        err=True,
    )


def _write_worst(found: Sensitivity | None, start: str) -> bool:
    """Write the layers that cost most, and tell whether any are known."""
    layers = [] if found is None else [each for each in found.layers if each.worst_db is not None]
    if found is None or not layers:
        return False
    echo(
        f"{start}what costs most, each alone in {found.quantized_to}, by the worst output's SQNR "
        f"on {found.samples} of {found.of} samples:",
        err=True,
    )
    rows = [(each.name, each.op, f"{each.worst_db:.1f} dB") for each in layers[:WORST]]
    pour(format_table(rows), err=True)
    return True
