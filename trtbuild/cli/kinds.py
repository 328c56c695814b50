"""trtbuild kinds."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trtbuild.core.options import Options
    from trtbuild.recipe.sections import Section

__all__ = ["kinds"]


def kinds(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[KIND|SECTION]",
            help="A kind (`mse`) or a section (`preprocess`, `model.weights`) to show with its "
            "options.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """List what a recipe's sections may hold: the kinds of each, and their options."""
    from trtbuild import api

    found = api.sections()
    if not name:
        _list(found)
    elif sections := [each for each in found if name in {each.name, each.place}]:
        for section in sections:
            _show_section(section)
    else:
        _show_kind(found, name)


def _list(found: tuple[Section, ...]) -> None:
    from trtbuild.cli.echo import echo, pour
    from trtbuild.cli.show import format_table

    for section in found:
        if section.has_kinds:
            echo(f"{section.name}:")
            pour(format_table(_rows(section)))
    echo("sections without kinds:")
    plain = [each for each in found if not each.has_kinds]
    pour(format_table([(each.place, _first_line(each.classes[0])) for each in plain]))


def _show_section(section: Section) -> None:
    from trtbuild.cli.echo import echo, pour
    from trtbuild.cli.show import format_table

    if section.has_kinds:
        echo(f"{section.place}: one of these kinds; `trtbuild kinds KIND` shows its options")
        pour(format_table(_rows(section)))
    else:
        (only,) = section.classes
        _show_options(f"section: {section.place}", only)


def _show_kind(found: tuple[Section, ...], wanted: str) -> None:
    from trtbuild.core.errors import UsageError
    from trtbuild.recipe.sections import name_kind

    kinds = [each for section in found if section.has_kinds for each in section.classes]
    chosen = [each for each in kinds if name_kind(each) == wanted]
    if not chosen:
        sections = ", ".join(dict.fromkeys(each.name for each in found))
        names = ", ".join(sorted({name_kind(each) for each in kinds}))
        raise UsageError(
            f"there is no kind and no section `{wanted}`",
            hint=f"kinds: {names}; sections: {sections}",
        )
    for each in chosen:
        _show_options(f"kind: {wanted}", each)


def _show_options(title: str, owner: type[Options]) -> None:
    from trtbuild.cli.echo import pour
    from trtbuild.core.options import describe_fields
    from trtbuild.recipe.sections import format_default

    pour(f"{title}\n{inspect.cleandoc(owner.__doc__ or '')}\n")
    texts = describe_fields(owner)
    for name, field in owner.model_fields.items():
        if name != "kind":
            default = format_default(field)
            told = default if default == "required" else f"default {default}"
            pour(f"  {name} ({told})\n      {texts.get(name, '')}")
        if name == "metrics":
            _list_metrics()


def _list_metrics() -> None:
    from trtbuild.cli.echo import pour
    from trtbuild.measure.metrics import METRIC_ROWS

    for name, row in METRIC_ROWS.items():
        pour(f"      {name}: {row.meaning}")


def _rows(section: Section) -> list[tuple[str, str]]:
    from trtbuild.recipe.sections import name_kind

    return [(name_kind(each), _first_line(each)) for each in section.classes]


def _first_line(owner: type[Options]) -> str:
    return (owner.__doc__ or "").strip().splitlines()[0]
