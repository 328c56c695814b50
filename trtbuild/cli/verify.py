"""trtbuild verify."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trtbuild.cli.echo import pour
from trtbuild.cli.form import DeviceOption, JobsOption, LogLevelOption, VariantOption
from trtbuild.core.escape import escape_controls
from trtbuild.core.log_levels import USUAL

if TYPE_CHECKING:
    from trtbuild.verbs.verify import RebuildCheck, Verification

__all__ = ["VerifyFormat", "verify"]


class VerifyFormat(StrEnum):
    """How what was found is written."""

    text = "text"
    json = "json"


def verify(  # noqa: PLR0913  # its options
    recipe: Annotated[
        Path, typer.Argument(help="A recipe that is locked or built.", metavar="RECIPE")
    ],
    *,
    variant: VariantOption = "",
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="Only this target; may be repeated."),
    ] = None,
    jobs: JobsOption = 2,
    format_: Annotated[
        VerifyFormat, typer.Option("--format", help="How what was found is written.")
    ] = VerifyFormat.text,
    log_level: LogLevelOption = USUAL,
    device: DeviceOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing of steps.")] = False,
) -> int:
    """Build again without the store, and hold that to what is guaranteed; exit code 1 if not so."""
    from trtbuild import api
    from trtbuild.cli.progress import choose_listener

    with choose_listener(quiet=quiet or format_ is VerifyFormat.json, verbose=False) as listener:
        found = api.verify(
            api.name_variant(recipe, variant),
            targets=tuple(target or ()),
            jobs=jobs,
            listener=listener,
            log_level=log_level,
            device=device,
        )
    pour(found.model_dump_json(indent=2) if format_ is VerifyFormat.json else _text(found))
    return 0 if found.holds else 1


def _text(found: Verification) -> str:
    from trtbuild.cli.show import format_table

    head = ("", "level", "guaranteed", "found")
    rows = [(_what(check), _level(check), check.guaranteed, check.found) for check in found.checks]
    unchecked = sum(check.holds is None for check in found.checks)
    end = "every guarantee holds" if found.holds else "not what is guaranteed"
    if unchecked:
        end += f"; {unchecked} of {len(found.checks)} not checked"
    return "\n".join(
        [
            escape_controls(
                f"{found.recipe}: rebuilt from its sources, against the {found.against}"
            ),
            format_table([head, *rows]),
            *(escape_controls(f"  note: {note}") for note in found.notes),
            end,
        ]
    )


def _what(check: RebuildCheck) -> str:
    mark = {True: "same", False: "DIFFERS", None: "?"}[check.holds]
    return f"{mark:<7}  {check.what}"


def _level(check: RebuildCheck) -> str:
    return "" if check.level is None else str(check.level)
