"""Rules on where ranges come from, for `recipe.checks`."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.core.quantized_types import TYPES
from trtbuild.recipe.problems import Path, Problem
from trtbuild.recipe.schema import Quantization, Recipe
from trtbuild.recipe.source import RecipeText

__all__ = ["calibrators_have_data", "fitting_has_data", "ranges_are_ranges"]


def ranges_are_ranges(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """A manual range is a positive limit, or [low, high] with room between or beside 0."""
    ranges = recipe.quantization.ranges if recipe.quantization is not None else {}
    for name, bounds in ranges.items():
        path: Path = ("quantization", "ranges", name)
        if isinstance(bounds, tuple):
            low, high = bounds
            if low > high:
                told = f"low ({low:g}) is above high ({high:g})"
                yield source.problem(path, told, f"write [{high:g}, {low:g}]")
            elif low == high == 0:
                yield source.problem(path, "a range from 0 to 0 holds no values", _LIMIT_HINT)
        elif bounds <= 0:
            told = f"a limit is more than 0, not {bounds:g}"
            guess = f"write {-bounds:g}: it means from {bounds:g} to {-bounds:g}"
            yield source.problem(path, told, guess if bounds else _LIMIT_HINT)


def fitting_has_data(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """What is fitted to data has data, and something to be written into."""
    section = recipe.quantization
    if section is None:
        return
    yield from _find_repeated(section, source)
    cached = section.calibrator is not None and section.calibrator.kind == "cache"
    for option in _list_fitting(section):
        path: Path = ("quantization", option)
        if section.data is None and (section.calibrator is None or cached):
            told = f"`{option}` looks at what layers read, and there is no `data`"
            hint = "name what it looks at: `data: ...`, a data set of the section `data`"
        elif option == "equalize" and cached:
            told = "`equalize` changes what ranges are, and those of a `cache` were found before"
            hint = "calibrate anew, as with `calibrator: {kind: auto}`, or remove `equalize`"
        elif option != "equalize" and section.mode == "implicit":
            told = f"`{option}` has no use with `mode: implicit`: TensorRT rounds weights itself"
            hint = f"use `mode: explicit`, or remove `{option}`"
        else:
            continue
        yield source.problem(path, told, hint, key=True)


def _find_repeated(section: Quantization, source: RecipeText) -> Iterator[Problem]:
    kinds = [each.kind for each in section.equalize]
    for index, kind in enumerate(kinds):
        if kind in kinds[:index]:
            path: Path = ("quantization", "equalize", index)
            yield source.problem(path, f"`{kind}` stands here twice", "remove one of the two")


def _list_fitting(section: Quantization) -> Iterator[str]:
    """Yield the options that fit weights to data."""
    if section.equalize:
        yield "equalize"
    if section.rounding != "nearest":
        yield "rounding"
    if section.bias_correction:
        yield "bias_correction"


_LIMIT_HINT = "write the largest absolute value that the tensor takes"


def calibrators_have_data(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """A calibrator has data to look at, and data has a calibrator that looks at it."""
    section = recipe.quantization
    if section is None:
        return
    found = section.calibrator
    if found is not None and found.kind != "cache":
        if section.data is None:
            told = f"the calibrator `{found.kind}` measures activations, and there is no `data`"
            hint = "name what it measures them on: `data: ...`, a data set of the section `data`"
            yield source.problem(("quantization", "calibrator"), told, hint, key=True)
        return
    told = "without a `calibrator`" if found is None else "beside the calibrator `cache`"
    hint = "add `calibrator: {kind: auto}`, or remove" if found is None else "remove"
    hint = "remove" if TYPES[section.type].weights_only else hint
    for option in ("data", "calibrators"):
        measures = option == "data" and (
            section.high_precision == "fp16" or any(True for _ in _list_fitting(section))
        )
        if getattr(section, option) and not measures:
            path: Path = ("quantization", option)
            yield source.problem(
                path, f"`{option}` has no use {told}", f"{hint} `{option}`", key=True
            )
