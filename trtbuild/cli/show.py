"""How problems, plans, outcomes and comparisons look in a terminal."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, get_args

import typer

from trtbuild.core.errors import RecipeError, StepFailed, TrtbuildError, UsageError

if TYPE_CHECKING:
    from trtbuild.core.options import Options
    from trtbuild.core.records import Record, TargetResult, Verdict
    from trtbuild.recipe.problems import Format, Problem
    from trtbuild.run.apply import Applied
    from trtbuild.run.diagnosis import Diagnosis
    from trtbuild.run.planning import Planned

__all__ = ["applied", "diagnosis", "failure", "kinds", "plan", "plural", "table", "validation"]


def failure(error: TrtbuildError) -> int:
    """Write an expected error to standard error and return its exit code."""
    if isinstance(error, RecipeError):
        typer.echo("\n\n".join(problem.render() for problem in error.problems), err=True)
        return error.code
    where = f"{error.step}: " if isinstance(error, StepFailed) else ""
    typer.echo(f"error: {where}{error.message}", err=True)
    if isinstance(error, StepFailed) and error.log:
        typer.echo(f"log: {error.log}", err=True)
    if error.hint:
        typer.echo(f"hint: {error.hint}", err=True)
    return error.code


def table(rows: Iterable[Sequence[str]], indent: str = "  ") -> str:
    """Lay rows out in columns as wide as their widest cell."""
    kept = [list(row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*kept, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in kept
    ]
    return "\n".join((indent + line).rstrip() for line in lines)


def plural(count: int, noun: str) -> str:
    """Write `1 step`, `2 steps`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def plan(planned: Planned, format_: str) -> None:
    """Write a plan: a line a step, with the reasons why it would run."""
    if format_ == "json":
        decisions = [each.model_dump(mode="json") for each in planned.decisions]
        typer.echo(json.dumps({"recipe": planned.plan.recipe, "steps": decisions}, indent=2))
        return
    rows = [
        (
            each.verdict,
            each.step,
            each.digest[7:15],
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
        typer.echo(f"**{planned.plan.recipe}**: {total}\n")
        typer.echo("| | step | digest | why |\n| --- | --- | --- | --- |")
        for verdict, step, digest, why in rows:
            typer.echo(f"| {verdict} | `{step}` | `{digest}` | {why.replace('|', chr(92) + '|')} |")
        return
    typer.echo(planned.plan.recipe)
    typer.echo(table(rows))
    typer.echo(total)
    for note in planned.notes:
        typer.echo(f"note: {note}")


def applied(done: Applied, *, quiet: bool, verbose: bool) -> None:
    """Write the closing summary of an apply."""
    record = done.record
    failed = [] if record.comparison is None else record.comparison.verdicts
    if not quiet:
        _summary(done, verbose=verbose)
    for verdict in failed:
        if not verdict.passed:
            typer.echo(f"gate failed: {_judged(verdict)}", err=True)


def _summary(done: Applied, *, verbose: bool) -> None:
    record = done.record
    caveats = f" ({', '.join(record.caveats)})" if record.caveats else ""
    typer.echo(f"{record.recipe}{caveats}")
    targets = [_target_row(result) for result in record.targets]
    if targets:
        typer.echo(table([("target", "built for", "INT8 layers", "engine"), *targets]))
    _comparison(record)
    if verbose:
        for outcome in record.outcomes:
            for note in outcome.notes:
                typer.echo(f"  note: {outcome.step}: {note}")
    for note in record.notes:
        typer.echo(f"  note: {note}")
    ran = sum(outcome.status == "ran" for outcome in record.outcomes)
    deferred = [outcome for outcome in record.outcomes if outcome.status == "deferred"]
    for outcome in deferred:
        typer.echo(f"  deferred: {outcome.step}: {outcome.message}")
    work = f"{ran} steps ran" if ran else "nothing to do"
    typer.echo(f"{work}, {record.seconds:.1f} s; results in {done.directory}/ (report.md)")


def _target_row(result: TargetResult) -> tuple[str, str, str, str]:
    from trtbuild.core.words import size

    asked = f"{result.delivered_int8} of {result.asked_int8} delivered"
    return (
        result.target,
        f"{result.backend} {' '.join(result.built_for)}",
        asked if result.asked_int8 else "none asked",
        size(result.engine_size_bytes),
    )


def _comparison(record: Record) -> None:
    from trtbuild.core.words import figure

    found = record.comparison
    if found is None:
        return
    caveats = f", {', '.join(found.caveats)}" if found.caveats else ""
    typer.echo(f"  {found.candidate} against {found.reference}, {found.samples} samples{caveats}")
    rows = [
        (
            measure.output,
            measure.metric,
            figure(measure.value, measure.unit) if measure.value is not None else measure.remark,
            "" if measure.reference is None else f"FP32 {figure(measure.reference, measure.unit)}",
        )
        for measure in found.measures
        if measure.applies
    ]
    if rows:
        typer.echo(table(rows, indent="    "))
    for verdict in found.verdicts:
        word = "passed" if verdict.passed else "FAILED"
        typer.echo(f"    gate {word}: {_judged(verdict)}")
    typer.echo(f"    measured by {found.runner}")


def _judged(verdict: Verdict) -> str:
    place = f"`{verdict.output}` " if verdict.output else ""
    return f"{verdict.gate}: {place}{verdict.found or verdict.remark}"


def diagnosis(found: Diagnosis) -> None:
    """Write what this machine can build, and the command that brings the rest."""
    typer.echo(f"Python {found.python}, store {found.store}")
    names = ", ".join(f"{gpu.name} ({gpu.compute_capability})" for gpu in found.gpus)
    typer.echo(f"GPU: {names or 'none with a driver: engines are built, and cannot be run here'}")
    typer.echo("targets:")
    for target in found.targets:
        versions = ", ".join(f"{name} {version}" for name, version in target.packages.items())
        word = "yes" if target.builds else "no "
        typer.echo(f"  {word}  {target.kind}: {versions if target.builds else target.reason}")
        if not target.builds:
            typer.echo(f"       hint: {target.install}")
    typer.echo("for some recipes:")
    for name, version in found.extras.items():
        typer.echo(f"  {'yes' if version else 'no '}  {name} {version}".rstrip())
        if not version:
            typer.echo(f"       hint: {found.installs[name]}")


def validation(problems: Sequence[Problem], form: Format) -> int:
    """Write problems in the form asked for; the exit code says whether there are any."""
    from trtbuild.recipe.problems import render

    text = render(problems, form)
    if text:
        typer.echo(text, err=form == "text")
    return RecipeError.code if problems else 0


def kinds(found: dict[str, tuple[type[Options], ...]], wanted: str) -> None:
    """List every kind with the first line of its docstring, or one kind with its options."""
    if wanted:
        _kind(found, wanted)
        return
    for section, classes in found.items():
        typer.echo(f"{section}:")
        typer.echo(table([(_name(each), _first_line(each)) for each in classes]))


def _kind(found: dict[str, tuple[type[Options], ...]], wanted: str) -> None:
    from trtbuild.core.options import descriptions

    chosen = [each for classes in found.values() for each in classes if _name(each) == wanted]
    if not chosen:
        names = sorted(_name(each) for classes in found.values() for each in classes)
        raise UsageError(f"there is no kind `{wanted}`", hint="kinds: " + ", ".join(names))
    for each in chosen:
        typer.echo(f"kind: {wanted}\n{inspect.cleandoc(each.__doc__ or '')}\n")
        texts = descriptions(each)
        for name, field in each.model_fields.items():
            if name != "kind":
                default = "required" if field.is_required() else f"default {field.default!r}"
                typer.echo(f"  {name} ({default})\n      {texts.get(name, '')}")


def _name(kind: type[Options]) -> str:
    (name,) = get_args(kind.model_fields["kind"].annotation)
    return str(name)


def _first_line(kind: type[Options]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]
