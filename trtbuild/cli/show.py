"""How problems, plans, outcomes and comparisons look in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show_warnings import write_warnings
from trtbuild.core.errors import RecipeError, StepFailed, TrtbuildError
from trtbuild.core.escape import escape_controls

if TYPE_CHECKING:
    from trtbuild.core.comparison import Comparison, GateVerdict, Measure
    from trtbuild.core.log_levels import LogLevel
    from trtbuild.core.overview import TargetResult
    from trtbuild.recipe.problems import Problem, ProblemStyle
    from trtbuild.verbs.apply import AppliedRecipe
    from trtbuild.verbs.diagnose import Diagnosis
    from trtbuild.verbs.logs import KeptLog
    from trtbuild.verbs.plan import DecidedPlan

__all__ = [
    "format_count",
    "format_table",
    "format_verdict",
    "write_applied",
    "write_comparison",
    "write_diagnosis",
    "write_failure",
    "write_logs",
    "write_plan",
    "write_problems",
]

MOST_NAMES = 4


def write_failure(error: TrtbuildError) -> int:
    """Write an expected error to standard error and return its exit code."""
    if isinstance(error, RecipeError):
        pour(error.message, err=True)
        return error.code
    where = f"{error.step}: " if isinstance(error, StepFailed) else ""
    pour(f"error: {where}{error.message}", err=True)
    if isinstance(error, StepFailed) and error.log:
        echo(f"log: {error.log}", err=True)
    if error.hint:
        echo(f"hint: {error.hint}", err=True)
    return error.code


def format_table(rows: Iterable[Sequence[str]], indent: str = "  ") -> str:
    """Lay rows out in columns as wide as their widest cell."""
    # A name with the end of a line in it would look like a row of its own.
    kept = [[escape_controls(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*kept, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in kept
    ]
    return "\n".join((indent + line).rstrip() for line in lines)


def format_count(count: int, noun: str) -> str:
    """Write `1 step`, `2 steps`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def write_plan(planned: DecidedPlan, format_: str) -> None:
    """Write a plan: a line a step, with the reasons why it would run."""
    from trtbuild.core.words import abbreviate

    if format_ == "json":
        decisions = [each.model_dump(mode="json") for each in planned.decisions]
        pour(json.dumps({"recipe": planned.plan.recipe, "steps": decisions}, indent=2))
        return
    rows = [
        (
            each.verdict,
            each.step,
            abbreviate(each.digest),
            " · ".join(reason.text() for reason in each.reasons),
        )
        for each in planned.decisions
    ]
    counts = {
        verdict: sum(each.verdict == verdict for each in planned.decisions)
        for verdict in ("reuse", "maybe", "run", "deferred")
    }
    words = {"reuse": "to reuse", "maybe": "may run", "run": "to run", "deferred": "deferred"}
    total = ", ".join(f"{counts[key]} {text}" for key, text in words.items() if counts[key])
    if format_ == "markdown":
        from trtbuild.report.pull_request import render_reasons_markdown

        steps = [(each.verdict, each.step, each.reasons) for each in planned.decisions]
        pour(render_reasons_markdown(planned.plan.recipe, total, steps))
        return
    echo(planned.plan.recipe)
    pour(format_table(rows))
    echo(total)
    for note in planned.notes:
        echo(f"note: {note}")


def write_applied(done: AppliedRecipe, *, quiet: bool, verbose: bool) -> None:
    """Write the closing summary of an apply."""
    run = done.overview
    if not quiet:
        _summary(done, verbose=verbose)
    else:
        write_warnings(run, quiet=True, verbose=verbose)
        for note in run.notes:
            echo(f"{run.recipe}: {note}", err=True)
        for each in run.unrun_engines:
            echo(f"{run.recipe}: {each.candidate}: not run: {each.not_run}", err=True)
    start = f"{run.recipe}: " if quiet else ""
    for engine, verdict in run.list_verdicts():
        if not verdict.passed:
            on = f"{engine}: " if engine else ""
            word = "failed" if verdict.judged else "not judged"
            echo(f"{start}gate {word}: {on}{format_verdict(verdict)}", err=True)
    if not done.passed:
        from trtbuild.cli.show_gates import write_outcome_of_gates

        write_outcome_of_gates(done, start)


def _summary(done: AppliedRecipe, *, verbose: bool) -> None:
    run = done.overview
    caveats = f" ({', '.join(run.caveats)})" if run.caveats else ""
    echo(f"{run.recipe}{caveats}")
    targets = [_target_row(result) for result in run.targets]
    if targets:
        head = ("target", "built for", f"{run.quantized_words} layers", "engine")
        pour(format_table([head, *targets]))
    for compared in run.list_comparisons():
        write_comparison(compared)
    write_warnings(run, quiet=False, verbose=verbose)
    if verbose:
        for outcome in run.outcomes:
            for note in outcome.notes:
                echo(f"  note: {outcome.step}: {note}")
    for note in run.notes:
        echo(f"  note: {note}")
    ran = sum(outcome.status == "ran" for outcome in run.outcomes)
    deferred = [outcome for outcome in run.outcomes if outcome.status == "deferred"]
    for outcome in deferred:
        echo(f"  deferred: {outcome.step}: {outcome.message}")
    echo(f"{_work(ran, done)}; results in {done.directory}/ (report.md)")


def _work(ran: int, done: AppliedRecipe) -> str:
    if ran:
        return f"{format_count(ran, 'step')} ran, {done.overview.seconds:.1f} s"
    if not done.changed:
        return "nothing to do"
    # Whoever had edited a file of the build there has to know that it is gone.
    names = ", ".join(done.changed[:MOST_NAMES]) + (", ..." * (len(done.changed) > MOST_NAMES))
    return f"no step to run, placed anew: {names}"


def _target_row(result: TargetResult) -> tuple[str, str, str, str]:
    from trtbuild.core.delivered import list_deliveries
    from trtbuild.core.words import format_size

    counts = list_deliveries(result)
    asked = ", ".join(f"{each.delivered} of {each.asked} delivered" for each in counts)
    return (
        result.target,
        f"{result.backend} {' '.join(result.built_for)}",
        asked or "none asked",
        format_size(result.engine_size_bytes),
    )


def write_comparison(found: Comparison) -> None:
    """Write a line a figure, then the gates, and what measured them."""
    from trtbuild.core.comparison import UnrunEngine
    from trtbuild.core.words import format_figure

    if isinstance(found, UnrunEngine):
        echo(f"  {found.candidate}: not run: {found.not_run}")
        _write_gates(found)
        return
    caveats = f", {', '.join(found.caveats)}" if found.caveats else ""
    samples = "1 sample" if found.samples == 1 else f"{found.samples} samples"
    echo(f"  {found.candidate} against {found.reference}, {samples}{caveats}")
    rows = [
        (
            measure.output,
            measure.metric,
            format_figure(measure.value, measure.unit)
            if measure.value is not None
            else measure.remark,
            _interval(measure),
            ""
            if measure.reference is None
            else f"{found.reference_type} {format_figure(measure.reference, measure.unit)}",
            measure.doubt and f"({measure.doubt})",
        )
        for measure in found.measures
        if measure.applies
    ]
    if rows:
        pour(format_table(rows, indent="    "))
    _write_gates(found)
    echo(f"    measured by {found.runner}")


def _write_gates(found: Comparison) -> None:
    for verdict in found.verdicts:
        word = "passed" if verdict.passed else "FAILED"
        word = word if verdict.judged else "NOT JUDGED"
        echo(f"    gate {word}: {format_verdict(verdict)}")


def _interval(measure: Measure) -> str:
    """Say where a figure lies, with the confidence."""
    from trtbuild.core.comparison import CONFIDENCE
    from trtbuild.core.words import format_interval

    found = measure.find_interval(CONFIDENCE)
    return "" if found is None else f"95 %: {format_interval(found.value, measure.unit)}"


def format_verdict(verdict: GateVerdict) -> str:
    """Say what a gate wanted, what was found, and by how much that is too little."""
    place = f"`{verdict.output}` " if verdict.output else ""
    told = [verdict.found or verdict.remark, verdict.interval]
    told += [f"missed by {verdict.missed_by}"] if verdict.missed_by else []
    told += [f"({verdict.doubt})"] if verdict.doubt else []
    return f"{verdict.gate}: {place}{', '.join(filter(None, told))}".replace(", (", " (")


def write_logs(logs: Sequence[KeptLog], asked: LogLevel) -> None:
    """Write where the logs of builds lie; of one that is reused, if its level is another."""
    for each in logs:
        echo(f"  log of {each.step} ({each.level}): {each.path}")
        if each.reused and each.level != asked:
            echo(
                f"    it was built before, with `--log-level {each.level}`, and is reused: nothing "
                "was said anew (another store builds anew: TRTBUILD_STORE=DIR)"
            )


def write_diagnosis(found: Diagnosis) -> None:
    """Write what this machine can build, and the command that brings the rest."""
    from trtbuild.core.words import format_size
    from trtbuild.machine.facts import list_doubts, name_package

    echo(f"Python {found.python}, store {found.store}")
    for index, gpu in enumerate(found.gpus):
        echo(f"GPU {index}: {gpu.in_words()}, {format_size(gpu.memory_bytes)}")
    if not found.gpus:
        echo("GPU: none with a driver: engines are built, and cannot be run here")
    where = found.inference.fact or "the CPU"
    why = f": {found.inference.hindrance}" if found.gpus and found.inference.hindrance else ""
    echo(f"ONNX Runtime computes on {where}{why}")
    if why:
        echo(f"       hint: {found.inference.hint}")
    echo("targets:")
    for target in found.targets:
        versions = ", ".join(name_package(name, fact) for name, fact in target.packages.items())
        word = "yes" if target.builds else "no "
        echo(f"  {word}  {target.kind}: {versions if target.builds else target.reason}")
        named = found.pythons.get(target.kind)
        if named is not None:
            there = ", ".join(name_package(name, v) for name, v in target.packages.items() if v)
            echo(f"       under {named.python} (by {named.place}): {there or 'nothing of it'}")
        for doubt in list_doubts(target.packages):
            echo(f"       {doubt}")
        if not target.builds:
            echo(f"       hint: {target.install}")
    echo("for some recipes:")
    for name, version in found.extras.items():
        echo(f"  {'yes' if version else 'no '}  {name} {version}".rstrip())
        if not version:
            echo(f"       hint: {found.installs[name]}")


def write_problems(problems: Sequence[Problem], form: ProblemStyle) -> int:
    """Write problems in the form asked for; the exit code says whether there are errors."""
    from trtbuild.recipe.problems import render_problems

    text = render_problems(problems, form)
    if text and form == "github":
        for line in text.split("\n"):
            echo(line, command=True)
    elif text:
        pour(text, err=form == "text")
    return RecipeError.code if any(each.level == "error" for each in problems) else 0
