"""Data that is not here: what a locked build can do without it."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from trtbuild.core.errors import MissingFile
from trtbuild.data import holds_pictures
from trtbuild.plan.compile import name_capture_step
from trtbuild.plan.plan import Plan
from trtbuild.recipe.schema import Recipe

__all__ = [
    "MADE",
    "belongs",
    "drop_absent_data",
    "find_absent_data",
    "list_places",
    "list_unmeasured",
]

MADE = ("build_engine", "quantize", "convert_precision")
"""The kinds of the steps that make what a build is for; the others measure it."""


def find_absent_data(recipe: Recipe, base: Path) -> dict[str, str]:
    """Say of each data set whose files, or the labels that a metric reads for it, are not here why.

    Code that yields samples is no data set: it belongs to the recipe, and must be there.
    """
    found = {}
    for name, source in recipe.data.items():
        if source.captured:
            continue
        try:
            source.find_files(base)
        except MissingFile as error:
            found[name] = error.message
    compared = recipe.compare
    if compared is not None and compared.data not in found:
        judged = recipe.data.get(compared.data)
        try:
            if holds_pictures(judged):
                judged.find_label_files(base)
            for task in compared.metrics:
                if not isinstance(task, str) and not task.is_code:
                    task.find_files(base)
        except MissingFile as error:
            found[compared.data] = error.message
    return found


def belongs(file: str, recipe: Recipe, absent: Collection[str]) -> bool:
    """Tell whether a file, as a lock names it, is of one of the data sets that are not here."""
    roots = [posixpath.normpath(each) for name in absent for each in list_places(recipe, name)]
    return any(
        file == place
        or file.startswith(f"{place}/")
        or fnmatchcase(file, place.replace("**/", "*"))
        for place in roots
    )


def list_places(recipe: Recipe, data: str) -> Iterator[str]:
    """Yield where a data set lies, relative to the recipe; nothing for code that yields samples."""
    source = recipe.data[data]
    for part in (source, getattr(source, "labels", None)):
        place = getattr(part, "path", None)
        yield from (place,) if isinstance(place, str) else place or ()


def drop_absent_data(plan: Plan, absent: Mapping[str, str]) -> Plan:
    """Return a plan without the steps that read what is not here, all of which only measure.

    Raises:
        MissingFile: something is made from what is not here.
    """
    gone = {name_capture_step(name): why for name, why in absent.items()}
    makers = tuple(step.name for step in plan.steps if step.step.kind in MADE)
    for step in plan.cut_after(makers).steps:
        if step.name in gone:
            raise MissingFile(
                f"{gone[step.name]}; a locked build needs it too",
                hint="what is not INT8 is made fp16 by the values that it shows",
            )
    dropped = set(gone)
    for step in plan.steps:
        if dropped & set(step.after):
            dropped.add(step.name)
    kept = tuple(step for step in plan.steps if step.name not in dropped)
    return Plan.model_construct(recipe=plan.recipe, facts=plan.facts, steps=kept)


def list_unmeasured(recipe: Recipe, absent: Collection[str]) -> tuple[str, ...]:
    """Say what a locked build does without because data is not here; what reports must repeat."""
    section, compared = recipe.quantization, recipe.compare
    calibrated = section.data if section is not None else None
    notes = []
    if calibrated in absent:
        notes.append(f"data `{calibrated}` is not here: its ranges are the lock's")
    if compared is not None and compared.data in absent:
        notes.append(
            f"not compared: data `{compared.data}` is not here; the gates were not judged, and the "
            "lock's figures were not measured again"
        )
    return tuple(notes)
