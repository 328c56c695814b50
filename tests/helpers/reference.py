"""The recipe reference of the README, made from the schema."""

from __future__ import annotations

from trtbuild import api
from trtbuild.core.options import Options, describe_fields
from trtbuild.measure.metrics import METRIC_ROWS
from trtbuild.quant.rules.table import TABLE
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.sections import RecipeSection, format_default, name_kind

FEW = 3
"""Fewer options than this that kinds share are described with each of them."""
HEAD = ["| option | default | meaning |", "| --- | --- | --- |"]


def reference() -> str:
    """Write every section, kind and option, with its default and its docstring."""
    parts = ["**A recipe**\n", table(Recipe)]
    for section in api.sections():
        parts += describe(section)
        if section.place == "compare":
            parts += ["\n**Metrics**, for `metrics` and for a gate's `metric`\n", metrics()]
    parts += ["\n**Static checks**: what holds where a rule is not broken.\n", rules()]
    return "\n".join(parts) + "\n"


def describe(section: RecipeSection) -> list[str]:
    """Write a section: its options, or its kinds with theirs; what kinds share is written once."""
    if not section.has_kinds:
        (only,) = section.classes
        return [f"\n**`{section.place}`**: {first_line(only)}\n", table(only)]
    parts = [f"\n**`{section.place}`**: one of these kinds.\n"]
    shared = find_shared_options(section)
    for kind in section.classes:
        told = [name for kinds, names in shared.items() if kind in kinds for name in names]
        rows = table(kind, without=("kind", *told))
        parts += [f"\n`kind: {name_kind(kind)}`: {first_line(kind)}\n", *([rows] if rows else [])]
    for kinds, names in shared.items():
        heirs = ", ".join(f"`{name_kind(each)}`" for each in kinds)
        others = set(kinds[0].model_fields) - set(names)
        parts += [f"\nIn common to {heirs}:\n", table(kinds[0], without=others)]
    return parts


def metrics() -> str:
    """Write a table of the metrics."""
    rows = [
        f"| `{name}` | {row.unit or 'none'} | {cell(row.meaning)} |"
        for name, row in METRIC_ROWS.items()
    ]
    return "\n".join(["| metric | unit | meaning |", "| --- | --- | --- |", *rows])


def rules() -> str:
    """Write a table of the static rules."""
    rows = [f"| `{rule.code}` | {rule.level} | {cell(rule.meaning)} |" for rule in TABLE]
    return "\n".join(["| rule | level | what holds |", "| --- | --- | --- |", *rows])


def table(owner: type[Options], without=("kind",)) -> str:
    """Write a table of an owner's options; nothing where it has none."""
    texts = describe_fields(owner)
    rows = [
        f"| `{name}` | {default(field)} | {cell(texts.get(name, ''))} |"
        for name, field in owner.model_fields.items()
        if name not in without
    ]
    return "\n".join([*HEAD, *rows]) if rows else ""


def default(field) -> str:
    """Write a default, as code where it is a value."""
    told = format_default(field)
    return told if told in {"required", "none"} else f"`{told}`"


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def first_line(owner: type[Options]) -> str:
    return (owner.__doc__ or "").strip().splitlines()[0]


def find_shared_options(section: RecipeSection) -> dict[tuple[type[Options], ...], tuple[str, ...]]:
    """Return the options that several kinds of a section have alike, by those kinds.

    Alike: with one default and one docstring. A few are not worth being told apart.
    """
    alike: dict[tuple[str, str, str], list[type[Options]]] = {}
    for each in section.classes:
        texts = describe_fields(each)
        for name, field in each.model_fields.items():
            if name != "kind":
                key = name, repr(field.get_default()), texts.get(name, "")
                alike.setdefault(key, []).append(each)
    shared: dict[tuple[type[Options], ...], tuple[str, ...]] = {}
    for (name, _, _), kinds in alike.items():
        if len(kinds) > 1:
            shared[tuple(kinds)] = (*shared.get(tuple(kinds), ()), name)
    return {kinds: names for kinds, names in shared.items() if len(names) >= FEW}
