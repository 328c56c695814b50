"""Rules on what a target of a TensorRT can be together with the rest, for `recipe.checks`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trtbuild.recipe.precision_rules import find_high_type
from trtbuild.recipe.problems import Path, Problem
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.schema import Quantization, Recipe
from trtbuild.recipe.schema_places import join_names
from trtbuild.recipe.source import RecipeText

if TYPE_CHECKING:
    from trtbuild.backends import Target
    from trtbuild.backends.tensorrt10 import Tensorrt10
    from trtbuild.backends.tensorrt11 import Tensorrt11

__all__ = [
    "LET_TRTBUILD",
    "dla_gets_what_it_computes",
    "dla_has_fixed_shapes",
    "implicit_mode_has_no_pairs",
    "native_calibration_sees_no_values",
    "native_calibrators_exist",
    "types_are_chosen_once",
]


def dla_gets_what_it_computes(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """A DLA computes in INT8, by ranges or from TensorRT 11 on by Q/DQ pairs, and in FP16."""
    for name, target in _with_dla(recipe):
        rule = _dla_of_10 if target.kind == "tensorrt10" else _dla_of_11
        yield from rule(recipe, source, name)


def _dla_of_10(recipe: Recipe, source: RecipeText, name: str) -> Iterator[Problem]:
    section, target = recipe.quantization, recipe.targets[name]
    path: Path = ("targets", name, "dla_core")
    if section is not None and section.mode == "explicit":
        told = "a DLA takes no Q/DQ nodes in TensorRT 10, and this recipe has `mode: explicit`"
        hint = "use `mode: implicit`, or `kind: tensorrt11` (11.4.1 or later)"
        yield source.problem(path, told, hint, key=True)
    elif section is None and target.kind == "tensorrt10" and not target.fp16:
        told = "a DLA computes in INT8 and FP16, and this target asks for neither"
        yield source.problem(path, told, "add `fp16: true`, or a `quantization`", key=True)
    elif _native(recipe) and _calibrator(recipe) not in ("", "entropy2"):
        told = "a DLA takes no calibrator of TensorRT but entropy2"
        hint = "use `calibrator: {kind: entropy2}`"
        yield source.problem(("quantization", "calibrator"), told, hint, key=True)
    if section is not None and section.mode == "implicit" and not _falls_back(target):
        asked = tuple(name for name in ("skip", "protect") if getattr(section, name))
        yield from _floats_without_gpu(section, source, asked, {"fp32"})


def _dla_of_11(recipe: Recipe, source: RecipeText, name: str) -> Iterator[Problem]:
    section, high = recipe.quantization, find_high_type(recipe)
    if _falls_back(recipe.targets[name]) or (section is not None and section.mode == "implicit"):
        return
    if high != "fp16":
        told = f"a DLA computes in INT8 and FP16, and what is not INT8 here is {high}"
        move = "write `precision: fp16`"
        if section is not None:
            move = "write `high_precision: fp16` below `quantization`"
        hint = f"{move}; or let the GPU compute that: `gpu_fallback: true`"
        yield source.problem(("targets", name, "dla_core"), told, hint, key=True)
    if section is not None:
        yield from _floats_without_gpu(section, source, (), {"fp32", "bf16"})


def _floats_without_gpu(
    section: Quantization, source: RecipeText, asked: tuple[str, ...], types: set[str]
) -> Iterator[Problem]:
    """Nodes that must stay float run on the GPU, if it may help the DLA."""
    asked += ("precision",) if types & set(section.precision.values()) else ()
    for option in asked:
        told = f"a DLA computes no layer in float, and `{option}` asks for that"
        hint = f"add `gpu_fallback: true` to the target, or remove `{option}`"
        yield source.problem(("quantization", option), told, hint, key=True)


def dla_has_fixed_shapes(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """A DLA is compiled for one size of each dimension: profiles leave none open."""
    targets = [name for name, _ in _with_dla(recipe)]
    if not targets:
        return
    if len(recipe.profiles) > 1:
        told = f"a DLA (target `{clip(targets[0])}`) takes one size of each input, of one profile"
        hint = "give it a recipe of its own with one profile, in which min, opt and max are equal"
        yield source.problem(("profiles", 1), told, hint)
    for index, profile in enumerate(recipe.profiles):
        for name, shapes in profile.items():
            if not shapes.min == shapes.opt == shapes.max:
                told = f"a DLA (target `{clip(targets[0])}`) takes one size alone, not a range"
                hint = "write the same shape for min, opt and max"
                yield source.problem(("profiles", index, name), told, hint, key=True)


def _falls_back(target: Target) -> bool:
    return target.kind in {"tensorrt10", "tensorrt11"} and target.gpu_fallback


def _with_dla(recipe: Recipe) -> Iterator[tuple[str, Tensorrt10 | Tensorrt11]]:
    for name, target in recipe.targets.items():
        if target.kind in {"tensorrt10", "tensorrt11"} and target.dla_core is not None:
            yield name, target


def types_are_chosen_once(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Types of inputs and outputs can be set where TensorRT chooses types, not the model."""
    implicit = recipe.quantization is not None and recipe.quantization.mode == "implicit"
    for name, target in _tens(recipe):
        if target.io_types and not target.weakly_typed(implicit=implicit):
            told = "the network is strongly typed: its inputs and outputs have the model's types"
            hint = "write `keep_io_types: false`, or let TensorRT choose types (`fp16: true`)"
            yield source.problem(("targets", name, "io_types"), told, hint, key=True)
        for option in ("precision_constraints", "ranges_as"):
            if option in target.model_fields_set and not implicit:
                told = f"`{option}` means something only with `mode: implicit`"
                yield source.problem(("targets", name, option), told, "remove it", key=True)


def implicit_mode_has_no_pairs(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """What shapes a Q/DQ model means nothing where TensorRT gets the float model and ranges."""
    section = recipe.quantization
    if section is None or section.mode == "explicit":
        return
    if section.weights != Quantization.model_fields["weights"].default:
        told = "`weights` has no effect with `mode: implicit`"
        hint = "remove it: TensorRT finds the scales of weights itself"
        yield source.problem(("quantization", "weights"), told, hint, key=True)


LET_TRTBUILD = (
    "remove `calibrate_with`: trtbuild calibrates it, feeding the values as the data has them"
)
"""What to do about models that TensorRT's calibrators cannot be fed."""


def native_calibrators_exist(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """`calibrate_with: tensorrt` has a TensorRT 10 to calibrate, and a calibrator that it has."""
    section = recipe.quantization
    if section is None or not _native(recipe):
        return
    path: Path = ("quantization", "calibrate_with")
    all_known = set(source.names(("targets",))) == set(recipe.targets)
    if all_known and not any(True for _ in _tens(recipe)):
        told = "calibrators left TensorRT in 11.0, and this recipe has no target of TensorRT 10"
        hint = "add a target of `kind: tensorrt10`, or remove `calibrate_with`"
        yield source.problem(path, told, hint, key=True)
    from trtbuild.backends.tensorrt10 import Tensorrt10

    known = Tensorrt10.capabilities.native_calibrators
    if section.calibrator is None or section.calibrator.kind not in known:
        told = "TensorRT has no such calibrator" if section.calibrator else "there is no calibrator"
        where: Path = ("quantization", "calibrator") if section.calibrator else path
        yield source.problem(where, told, f"it has {join_names(known, 'and')}", key=True)
    if section.calibrators:
        told = "TensorRT calibrates every tensor alike"
        where = ("quantization", "calibrators")
        yield source.problem(where, told, "remove it, or `calibrate_with: tensorrt`", key=True)


def native_calibration_sees_no_values(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """`calibrate_with: tensorrt` is for models without inputs whose values decide shapes."""
    if not _native(recipe):
        return
    valued = [
        name
        for name in dict.fromkeys(name for profile in recipe.profiles for name in profile)
        if any(name in each and each[name].values for each in recipe.profiles)
    ]
    for name in valued:
        told = (
            f"TensorRT cannot calibrate a model whose shapes rest on values, as of `{clip(name)}`"
        )
        path: Path = ("quantization", "calibrate_with")
        yield source.problem(path, told, LET_TRTBUILD, key=True)


def _native(recipe: Recipe) -> bool:
    return recipe.quantization is not None and recipe.quantization.calibrate_with == "tensorrt"


def _calibrator(recipe: Recipe) -> str:
    section = recipe.quantization
    return section.calibrator.kind if section is not None and section.calibrator else ""


def _tens(recipe: Recipe) -> Iterator[tuple[str, Tensorrt10]]:
    for name, target in recipe.targets.items():
        if target.kind == "tensorrt10":
            yield name, target
