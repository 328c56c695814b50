"""Rules on the type that a recipe quantizes to: who computes in it, and what is made for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import INT8, TYPES, QuantizedType
from trtbuild.recipe.problems import Path, Problem
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.schema import Quantization, Recipe
from trtbuild.recipe.schema_places import join_names
from trtbuild.recipe.source import RecipeText

if TYPE_CHECKING:
    from trtbuild.backends import Target

__all__ = [
    "awq_is_for_weights",
    "multiplies",
    "targets_compute_the_type",
    "the_type_is_asked_for",
    "type_has_what_is_asked",
]

INTEGERS_ALONE = {
    "entropy": "chooses limits by the 128 steps of INT8",
    "entropy2": "chooses limits by the 128 steps of INT8",
    "mse": "chooses the limits with which INT8 errs least",
}
"""Calibrators that weigh what is cut off against even steps, and why they are for these alone."""


def _list_types(recipe: Recipe) -> tuple[QuantizedType, ...]:
    """Return the types that are asked for beside INT8, which has no rules: of all, or of layers."""
    section = recipe.quantization
    names = () if section is None else (section.type, *section.precision.values())
    found = dict.fromkeys(TYPES[name] for name in names if name in TYPES)
    return tuple(each for each in found if each != INT8)


def targets_compute_the_type(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Every GPU that an engine is for multiplies the quantized types."""
    pairs = ((into, each) for into in _list_types(recipe) for each in recipe.targets.items())
    for into, (name, target) in pairs:
        if getattr(target, "dla_core", None) is not None:
            told = f"a DLA computes in INT8 and FP16, and this recipe quantizes to {into.word}"
            hint = "use `type: int8`, or leave out `dla_core`"
            yield source.problem(("targets", name, "dla_core"), told, hint, key=True)
        early = [each for each in _list_capabilities(target) if not into.runs_on(each)]
        if early:
            yield _tell_early(source, name, target, into, early)


def multiplies(target: Target, into: QuantizedType) -> bool:
    """Tell whether a type is known to be multiplied wherever a target's engine is for."""
    if into == INT8:
        return True
    named = _list_capabilities(target)
    dla = getattr(target, "dla_core", None) is not None
    return bool(named) and not dla and all(map(into.runs_on, named))


def _list_capabilities(target: Target) -> list[str]:
    """Return the compute capabilities that a target names."""
    return [each for each in target.built_for() if each.replace(".", "").isdigit()]


def _tell_early(
    source: RecipeText, name: str, target: Target, into: QuantizedType, early: list[str]
) -> Problem:
    listed = _list_capabilities(target)
    option = "compute_capabilities" if hasattr(target, "compute_capabilities") else "gpu"
    path: Path = ("targets", name, option)
    written = option in target.model_fields_set
    told = (
        f"{into.word} cannot be computed on {join_names(early, 'and')}: it is for compute "
        f"capability {into.least_capability} and later"
    )
    if not written:
        path, told = path[:2], f"{told} (target `{clip(name)}` is for {', '.join(listed)})"
    later = [each for each in listed if into.runs_on(each)] or [into.least_capability]
    move = f"write `compute_capabilities: [{', '.join(later)}]`" if option != "gpu" else ""
    hint = f"{move or 'build it for another `gpu`'}, or use `type: int8`"
    return source.problem(path, told, hint, key=True)


def type_has_what_is_asked(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """What is asked for beside a type is made for it."""
    section, types = recipe.quantization, _list_types(recipe)
    if section is not None and not TYPES[section.type].weights_only:
        yield from _find_blocks(section, source)
    if section is None or not types:
        return
    into = types[0]
    what = f"this recipe quantizes to {into.word}"
    if into.name != section.type:
        what = f"layers of this recipe are asked for in {into.word}"
    if section.mode == "implicit":
        told = f"`mode: implicit` is of INT8 alone, and {what}"
        yield source.problem(("quantization", "mode"), told, "use `mode: explicit`", key=True)
    for option in ("rounding", "bias_correction"):
        if getattr(section, option) != Quantization.model_fields[option].default:
            told = f"`{option}` is for INT8, and {what}"
            yield source.problem(("quantization", option), told, "remove it", key=True)
    if section.type == into.name and into.weights_only:
        yield from _find_activations(section, into, source)
    elif section.type == into.name:
        yield from _find_calibrators(section, into, source)


def _find_blocks(section: Quantization, source: RecipeText) -> Iterator[Problem]:
    """Yield a size of blocks, where scales are those of channels."""
    if "block_size" in section.model_fields_set:
        told = (
            f"`block_size` is for `type: int4`, and this recipe quantizes to "
            f"{TYPES[section.type].word}, whose scales are those of output channels"
        )
        yield source.problem(("quantization", "block_size"), told, "remove it", key=True)


def _find_activations(
    section: Quantization, into: QuantizedType, source: RecipeText
) -> Iterator[Problem]:
    """Yield the options that are about activations, where these stay float."""
    for option in ("calibrator", "calibrators", "ranges", "ranges_file"):
        if getattr(section, option):
            told = f"`{option}` is about activations, and {into.word} is for weights alone"
            yield source.problem(("quantization", option), told, "remove it", key=True)


def _find_calibrators(
    section: Quantization, into: QuantizedType, source: RecipeText
) -> Iterator[Problem]:
    asked: list[tuple[Path, str]] = []
    if section.calibrator is not None:
        asked.append((("quantization", "calibrator"), section.calibrator.kind))
    for name, each in section.calibrators.items():
        asked.append((("quantization", "calibrators", name), each.kind))
    for path, kind in asked:
        if kind in INTEGERS_ALONE:
            told = f"`{kind}` {INTEGERS_ALONE[kind]}; {into.word} rounds by each value's own size"
            hint = "use `calibrator: {kind: auto}`, which cuts nothing off then, or `percentile`"
            yield source.problem(path, told, hint, key=True)


def awq_is_for_weights(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """The search of `awq` is for a type of weights alone."""
    section = recipe.quantization
    for index, each in enumerate(section.equalize if section is not None else ()):
        if section is not None and each.kind == "awq" and not TYPES[section.type].weights_only:
            told = f"`awq` is for `type: int4`, and this recipe quantizes to {section.type}"
            hint = "use `smooth`, or remove it"
            yield source.problem(("quantization", "equalize", index), told, hint)


def the_type_is_asked_for(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """A type for weights alone is that of all layers, or of none."""
    section = recipe.quantization
    for pattern, asked in section.precision.items() if section is not None else ():
        kinds = [TYPES[each] for each in (asked, section.type) if each in TYPES] if section else []
        alone = next((each.word for each in kinds if each.weights_only), "")
        if section is not None and len({each.name for each in kinds}) > 1 and alone:
            told = f"{alone} is for weights alone: a model has it, or types that multiply"
            hint = f"write `{section.type}`, or `fp32`"
            yield source.problem(("quantization", "precision", pattern), told, hint)
