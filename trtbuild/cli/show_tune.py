"""How a search for less float work looks in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_table
from trtbuild.core.escape import escape_controls
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.words import format_figure, format_size

if TYPE_CHECKING:
    from trtbuild.core.tuning import Trial, TunedFigure, Tuning
    from trtbuild.verbs.tuning.tune import TuneReport

__all__ = ["make_teller", "write_tuning"]


def make_teller() -> Callable[[Trial, bool], None]:
    """Return what says of each trial, on standard error, how it went."""
    numbers: dict[str, int] = {}

    def tell(trial: Trial, better: bool) -> None:  # noqa: FBT001  # called with what it hears
        key = repr((trial.what, trial.of, trial.options, trial.floats))
        again = key in numbers
        count = numbers.setdefault(key, len(numbers))
        end = trial.problem or _list(trial.figures)
        kept = "passes: " if trial.passed else "better: " if better and count else ""
        told = "not possible: " if trial.problem else kept
        on = f" on {trial.samples} samples" if trial.fewer or again else ""
        echo(escape_controls(f"{count:3}  {trial.what}{on}: {told}{end}"), err=True)

    return tell


def _list(figures: tuple[TunedFigure, ...]) -> str:
    return ", ".join(f"{figure.name} {figure.found}" for figure in figures)


def write_tuning(report: TuneReport, recipe: Path, *, verbose: bool, wrote: bool) -> None:
    """Write the frontier, the patch, and what to do next."""
    found = report.tuning
    echo(_verdict(found))
    if len(found.trials) > 1:
        pour(format_table(_rows(found, verbose=verbose)))
        word = TYPES[found.quantized].word
        echo(
            f"{word}: of the multiply-accumulates, other quantized types with it; size: of the "
            f"model; these come closer to passing than all that has as much {word}; behind each "
            "figure its 95 % interval"
        )
    if found.patch and not report.written:
        pour(found.patch.rstrip("\n"))
    for note in (*found.remarks, *report.notes):
        echo(f"note: {note}")
    echo(f"wrote {report.file}")
    if report.written:
        echo(f"wrote {report.lines_in}: `trtbuild apply {recipe}` builds it")
    elif found.patch and found.passed:
        echo(f"hint: --write changes {report.lines_in} so", err=True)
    elif found.patch:
        told = "the gates are not reached, so the recipe stays as it is; " if wrote else ""
        echo(f"hint: {told}--write --best writes the best found all the same", err=True)


def _list_with_intervals(figures: tuple[TunedFigure, ...]) -> str:
    return "; ".join(f"{figure.name} {figure.describe()}" for figure in figures)


def _verdict(found: Tuning) -> str:
    before, after = map(_list_with_intervals, (found.before, found.after))
    if found.passed and not found.best:
        return f"every gate passes as it is: {after}"
    told = "every gate passes" if found.passed else "the gates are not reached"
    if not found.best:
        return f"{told}, and nothing that was tried is better: {after}"
    return f"{told}: {after} (before: {before})"


def _rows(found: Tuning, *, verbose: bool) -> Iterator[list[str]]:
    names = [figure.name for figure in found.trials[0].figures]
    yield ["", TYPES[found.quantized].word, "size", "samples", *names]
    for index, trial in enumerate(found.trials):
        if trial.problem or not (trial.frontier or verbose or index in {0, found.best}):
            continue
        mark = " *" if index == found.best and index else ""
        told = {figure.name: figure.describe() for figure in trial.figures}
        yield [
            escape_controls(trial.describe() or trial.what) + mark,
            format_figure(trial.int8_share, "share"),
            format_size(trial.size_bytes),
            str(trial.samples),
            *(told.get(name, "-") for name in names),
        ]
