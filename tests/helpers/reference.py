"""The recipe reference of the README, made from the schema."""

from __future__ import annotations

import types
import typing
from typing import get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from trtbuild import api
from trtbuild.core.options import Options, describe_fields
from trtbuild.quant.rules.table import TABLE
from trtbuild.recipe.schema import Recipe

SECTIONS = {
    "model": "What to build from.",
    "fixes": "Changes to the graph, in order.",
    "data": "Samples, by a name of your own.",
    "calibrator": "How a range is found (`quantization: {calibrator: ...}`).",
    "weights": "How weights become INT8 (`quantization: {weights: ...}`).",
    "targets": "What to build, by a name of your own.",
}


def reference() -> str:
    """Write every section, kind and option, with its default and its docstring."""
    parts = ["**A recipe**\n", table(Recipe)]
    for section in ("quantization", "precision", "checks", "compare"):
        owner = inner(Recipe.model_fields[section].annotation)
        parts += [f"\n**`{section}`**: {first_line(owner)}\n", table(owner)]
    gate = inner(inner(Recipe.model_fields["compare"].annotation).model_fields["gates"].annotation)
    parts += [f"\n**A gate**: {first_line(gate)}\n", table(gate)]
    for section, kinds in api.kinds().items():
        parts.append(f"\n**`{section}`**: {SECTIONS[section]}\n")
        for kind in kinds:
            (name,) = get_args(kind.model_fields["kind"].annotation)
            parts.append(f"\n`kind: {name}`: {first_line(kind)}\n")
            rows = table(kind)
            parts += [rows] if rows else []
    parts += ["\n**Static checks**: what holds where a rule is not broken.\n", rules()]
    return "\n".join(parts) + "\n"


def rules() -> str:
    """Write a table of the static rules."""
    rows = [f"| `{rule.code}` | {rule.level} | {cell(rule.meaning)} |" for rule in TABLE]
    return "\n".join(["| rule | level | what holds |", "| --- | --- | --- |", *rows])


def table(owner: type[Options]) -> str:
    """Write a table of an owner's options; nothing where it has none."""
    texts = describe_fields(owner)
    rows = [
        f"| `{name}` | {default(field)} | {cell(texts.get(name, ''))} |"
        for name, field in owner.model_fields.items()
        if name != "kind"
    ]
    return (
        "\n".join(["| option | default | meaning |", "| --- | --- | --- |", *rows]) if rows else ""
    )


def default(field: FieldInfo) -> str:
    """Write a default as it would stand in YAML."""
    if field.is_required() or field.default is PydanticUndefined:
        return "required"
    value = field.default
    if value is None or value in ((), {}, ""):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(str(item) for item in value)}]`"
    if isinstance(value, Options):
        return f"`{{kind: {value.kind}}}`" if hasattr(value, "kind") else "none"
    return f"`{value}`"


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def first_line(owner: type[Options]) -> str:
    return (owner.__doc__ or "").strip().splitlines()[0]


def inner(annotation: typing.Any) -> typing.Any:
    """Return the section class inside Optional, tuple or Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, Options):
        return annotation
    assert get_origin(annotation) in (typing.Union, types.UnionType, tuple, typing.Annotated)
    return next(
        found
        for part in get_args(annotation)
        if part not in (type(None), ...) and get_origin(part) is not typing.Literal
        for found in [inner(part)]
    )
