"""trtbuild kinds."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from textwrap import indent
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trtbuild.core.options import Options
    from trtbuild.recipe.sections import RecipeSection

__all__ = ["kinds"]


def kinds(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[KIND|SECTION|OPTION]",
            help="A kind (`mse`) or a section (`preprocess`, `model.weights`) to show with its "
            "options, or an option (`metrics`).",
            show_default=False,
        ),
    ] = "",
) -> None:
    """List what a recipe's sections may hold: the kinds of each, and their options."""
    from trtbuild import api
    from trtbuild.recipe.sections import name_kind

    found = api.sections()
    if not name:
        _list(found)
    elif sections := [each for each in found if name in {each.name, each.place}]:
        for section in sections:
            if section.name in {"labels", "metrics"}:  # what has options stands beside plain names
                _show_option(found, section.place)
            _show_section(section)
    elif kinds := [each for each in _list_kinds(found) if name_kind(each) == name]:
        for each in kinds:
            _show_options(f"kind: {name}", each)
    else:
        _show_option(found, name)


def _list(found: tuple[RecipeSection, ...]) -> None:
    from trtbuild.cli.echo import echo, pour
    from trtbuild.cli.show import format_table

    for section in found:
        if section.has_kinds:
            echo(f"{section.place}:")
            pour(format_table(_rows(section)))
    echo("sections without kinds:")
    plain = [each for each in found if not each.has_kinds]
    pour(format_table([(each.place, _first_line(each.classes[0])) for each in plain]))


def _show_section(section: RecipeSection) -> None:
    from trtbuild.cli.echo import echo, pour
    from trtbuild.cli.show import format_table

    if section.has_kinds:
        echo(f"{section.place}: one of these kinds; `trtbuild kinds KIND` shows its options")
        pour(format_table(_rows(section)))
    else:
        (only,) = section.classes
        _show_options(f"section: {section.place}", only)


def _list_kinds(found: tuple[RecipeSection, ...]) -> list[type[Options]]:
    return [each for section in found if section.has_kinds for each in section.classes]


def _show_option(found: tuple[RecipeSection, ...], wanted: str) -> None:
    """Show an option by its name or its place, once for each section or kind that has it."""
    from trtbuild.cli.echo import echo
    from trtbuild.core.errors import UsageError
    from trtbuild.recipe.problems import find_nearest
    from trtbuild.recipe.sections import name_kind

    place, _, name = wanted.rpartition(".")
    owners = [
        (section, each)
        for section in found
        for each in section.classes
        if name in each.model_fields and place in {"", section.place, section.name}
    ]
    if not owners:
        names = sorted({name_kind(each) for each in _list_kinds(found)})
        sections = list(dict.fromkeys(each.name for each in found))
        guess = find_nearest(name.lower(), [*names, *sections])
        meant = f"did you mean `{guess}`? " if guess else ""
        raise UsageError(
            f"there is no kind, section or option `{wanted}`",
            hint=f"{meant}kinds: {', '.join(names)}; sections: {', '.join(sections)}",
        )
    for section, owner in owners:
        kind = f" of kind: {name_kind(owner)}" if section.has_kinds else ""
        echo(f"section: {section.place}{kind}")
        _write_options(owner, {name})


def _show_options(title: str, owner: type[Options]) -> None:
    from trtbuild.cli.echo import pour

    pour(f"{title}\n{inspect.cleandoc(owner.__doc__ or '')}\n")
    _write_options(owner, owner.model_fields.keys() - {"kind"})


def _write_options(owner: type[Options], chosen: Collection[str]) -> None:
    from trtbuild.cli.echo import pour
    from trtbuild.core.options import describe_fields
    from trtbuild.recipe.sections import format_default

    texts = describe_fields(owner)
    for name, field in owner.model_fields.items():
        if name not in chosen:
            continue
        default = format_default(field)
        told = default if default == "required" else f"default {default}"
        pour(f"  {name} ({told})\n{indent(texts.get(name, ''), ' ' * 6)}")
        if "metric" in name:
            _list_metrics()


def _list_metrics() -> None:
    from trtbuild.cli.echo import pour
    from trtbuild.measure.metrics import METRIC_ROWS

    for name, row in METRIC_ROWS.items():
        pour(f"      {name}: {row.meaning}")


def _rows(section: RecipeSection) -> list[tuple[str, str]]:
    from trtbuild.recipe.sections import name_kind

    return [(name_kind(each), _first_line(each)) for each in section.classes]


def _first_line(owner: type[Options]) -> str:
    return (owner.__doc__ or "").strip().splitlines()[0]
