"""A recipe in a few lines, for whoever has not seen it."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.core.delivered import list_deliveries
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.words import format_figure, format_interval, format_size, join_few
from trtbuild.measure.metrics import find_unit
from trtbuild.plan.lock import Lock
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.schema import Recipe
from trtbuild.verbs.diff_demands import list_rules

__all__ = ["summarize_recipe"]

MOST = 8


def summarize_recipe(loaded: LoadedRecipe, lock: Lock | None) -> tuple[str, ...]:
    """Say what a recipe makes of what, and by its lock what came of it."""
    recipe = loaded.recipe
    return (
        f"model: {_describe_model(recipe)}",
        f"{_name_type(recipe)}: {_describe_quantization(recipe)}",
        f"targets: {join_few([f'{n} ({each.kind})' for n, each in recipe.targets.items()], MOST)}",
        *_describe_comparison(recipe),
        *(_describe_results(lock) if lock is not None else ["it has no lock: no result is known"]),
    )


def _describe_model(recipe: Recipe) -> str:
    return f"{recipe.model.kind} {recipe.model.place}".strip()


def _name_type(recipe: Recipe) -> str:
    section = recipe.quantization
    return TYPES["int8" if section is None else section.type].word


def _describe_quantization(recipe: Recipe) -> str:
    section = recipe.quantization
    if section is None:
        return "none asked"
    if TYPES[section.type].weights_only:
        return "weights alone"
    if section.calibrator is None:
        return "every range by hand"
    data = f" on data `{section.data}`" if section.data else ""
    return f"ranges by {section.calibrator.kind}{data}"


def _describe_comparison(recipe: Recipe) -> Iterator[str]:
    if recipe.compare is None:
        yield "compared: no, the recipe has no `compare` section"
        return
    gates = [str(rule) for gate in recipe.compare.gates for rule in list_rules(dict(gate))]
    asked = join_few(gates, MOST) if gates else "no gate"
    yield f"compared on data `{recipe.compare.data}`: {asked}"


def _describe_results(lock: Lock) -> Iterator[str]:
    for key, value in list(lock.measures.items())[:MOST]:
        output, _, metric = key.rpartition(".")
        known = lock.figures.get(key)
        unit = find_unit(metric) if known is None else known.rpartition(" ")[0]
        against = lock.references.get(key)
        told = lock.compared.get("reference", "FP32")
        beside = "" if against is None else f" ({told} {format_figure(against, unit)})"
        on = f" of {output}" if output else ""
        ends = lock.intervals.get(key)
        sure = "" if ends is None else f", {format_interval(ends, unit)} (95 %)"
        yield f"{metric}{on}: {format_figure(value, unit)}{beside}{sure}"
    if len(lock.measures) > MOST:
        yield f"and {len(lock.measures) - MOST} more figures"
    for name, target in lock.targets.items():
        asked = "".join(f"{each.describe()}, " for each in list_deliveries(target))
        size = format_size(target.engine_size_bytes)
        yield f"engine {name}: {asked}{size}"
