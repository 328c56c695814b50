"""trtbuild why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.form import DeviceOption, Form, FormOption, VariantOption, write_json

if TYPE_CHECKING:
    from trtbuild.plan.history import Why

__all__ = ["why"]

LAST = {"never": "has not run", "first": "ran first", "same": "unchanged", "changed": "changed"}


def why(
    recipe: Annotated[Path, typer.Argument(help="The recipe.", metavar="RECIPE")],
    step: Annotated[
        str,
        typer.Argument(
            help="One step, and all that it is made of.", metavar="[STEP]", show_default=False
        ),
    ] = "",
    *,
    variant: VariantOption = "",
    log: Annotated[
        bool, typer.Option("--log", help="Write what the builder said when the step last ran.")
    ] = False,
    device: DeviceOption = None,
    format_: FormOption = Form.text,
) -> None:
    """Say why the last run did what it did, and what the next would do."""
    from trtbuild import api
    from trtbuild.core.errors import UsageError

    recipe = api.name_variant(recipe, variant)
    found = api.why(recipe, device=device)
    chosen = [each for each in found if step in {"", each.step}]
    if not chosen:
        hint = "steps: " + ", ".join(each.step for each in found)
        raise UsageError(f"there is no step `{step}`", hint=hint)
    if log:
        pour(_read_log(chosen, step), nl=False)
    elif format_ is Form.json:
        write_json({"steps": chosen})
    elif step:
        _write_step(chosen[0])
    else:
        _write_all(chosen)


def _read_log(chosen: Sequence[Why], step: str) -> str:
    """Return what a builder said; of the one step that has a log, if none is named."""
    from trtbuild.core.errors import UsageError

    logged = [each for each in chosen if each.log]
    if len(logged) == 1:
        return Path(logged[0].log).read_text(encoding="utf-8", errors="replace")
    if logged:
        names = ", ".join(each.step for each in logged)
        raise UsageError("several steps have a log", hint=f"name one: {names}")
    what = f"of `{step}`" if step else "of any step"
    raise UsageError(
        f"no log {what} is kept: only what builds engines has one, and only once it has run",
        hint="`trtbuild apply --log-level verbose` builds, where the store does not have it yet",
    )


def _write_all(found: Sequence[Why]) -> None:
    from trtbuild.cli.show import format_table

    echo("last run, against the one before:")
    pour(
        format_table(
            [(LAST[each.last], each.step, _format_reasons(each.last_reasons)) for each in found]
        )
    )
    echo("next run:")
    pour(
        format_table(
            [(each.next.verdict, each.step, _format_reasons(each.next.reasons)) for each in found]
        )
    )


def _format_reasons(reasons: Any) -> str:
    return " · ".join(reason.text() for reason in reasons)


def _write_step(found: Why) -> None:
    from trtbuild.core.words import abbreviate

    took = "" if found.seconds is None else f", {found.seconds:.1f} s when it ran"
    echo(f"{found.step} {abbreviate(found.next.digest)}")
    echo(f"  last: {LAST[found.last]}{took}")
    for reason in found.last_reasons:
        echo(f"    {reason.text()}")
    if found.log:
        echo(f"    log ({found.log_level}): {found.log}")
    for warning in found.warnings:
        echo(f"    warning: {warning}")
    for note in found.notes:
        echo(f"    note: {note}")
    echo(f"  next: {found.next.verdict}")
    for reason in found.next.reasons:
        echo(f"    {reason.text()}")
    echo("  made of:")
    for path, value in _facts(found.ingredients, ""):
        echo(f"    {path}: {value}")


def _facts(tree: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(tree, dict) and tree:
        parts = [_facts(tree[key], f"{path}.{key}".lstrip(".")) for key in sorted(tree)]
        return [fact for part in parts for fact in part]
    return [(path, tree if isinstance(tree, str) else json.dumps(tree))]
