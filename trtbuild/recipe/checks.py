"""Rules across sections, one small function each."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

from trtbuild.core.options import Options
from trtbuild.core.placed import list_reserved_names
from trtbuild.core.quantized_types import INT8, TYPES
from trtbuild.recipe.check_rules import checks_exist
from trtbuild.recipe.data_rules import find_absent_data
from trtbuild.recipe.embedding import embedding_has_its_data
from trtbuild.recipe.metric_rules import (
    accuracy_has_labels,
    figures_are_named_once,
    gates_judge_figures,
)
from trtbuild.recipe.precision_rules import precision_is_said_once, precision_suits_the_rest
from trtbuild.recipe.problems import Path, Problem
from trtbuild.recipe.range_rules import (
    calibrators_have_data,
    fitting_has_data,
    ranges_are_ranges,
)
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.schema import ProfileShapes, Recipe
from trtbuild.recipe.schema_places import join_names
from trtbuild.recipe.source import RecipeText
from trtbuild.recipe.target_rules import (
    dla_gets_what_it_computes,
    dla_has_fixed_shapes,
    implicit_mode_has_no_pairs,
    native_calibration_sees_no_values,
    native_calibrators_exist,
    types_are_chosen_once,
)
from trtbuild.recipe.type_rules import (
    awq_is_for_weights,
    targets_compute_the_type,
    the_type_is_asked_for,
    type_has_what_is_asked,
)

__all__ = ["find_problems_across"]

RecipeCheck = Callable[[Recipe, RecipeText], Iterator[Problem]]

TURING = 7.5
MOST_NAMES = 3
MOST_FOUND = 1000
"""More than anybody reads: a bound on the work that a file which is no recipe can make."""
_HOW_MUCH_AND_HOW = {"count", "batch", "preprocess", "input", "labels"}
"""Options of a data source that do not choose other samples."""


def find_problems_across(
    recipe: Recipe, source: RecipeText, *, partial: bool = False
) -> list[Problem]:
    """Return what is wrong between the sections of a recipe, and with values as a whole.

    Of a `partial` recipe, which lacks what is wrong in itself, rules go as far as they can.
    """
    return list(islice(_find(recipe, source, partial=partial), MOST_FOUND))


def _find(recipe: Recipe, source: RecipeText, *, partial: bool) -> Iterator[Problem]:
    for check in _CHECKS:
        try:
            yield from check(recipe, source)
        except AttributeError:  # a rule that reads what is not there has nothing to say
            if not partial:
                raise


def calibration_data_exists(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """`quantization` names a data set of the recipe."""
    if recipe.quantization is not None:
        yield from find_absent_data("quantization", recipe.quantization.data, recipe, source)


def evaluation_data_exists(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """`compare` names a data set of the recipe."""
    if recipe.compare is not None:
        yield from find_absent_data("compare", recipe.compare.data, recipe, source)


def bench_data_exists(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """`bench` names a data set of the recipe."""
    if recipe.bench is not None:
        yield from find_absent_data("bench", recipe.bench.data, recipe, source)


def evaluation_data_is_new(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """A quantized model is not judged on the samples that its ranges were made for."""
    if recipe.quantization is None or recipe.compare is None:
        return
    calibration, evaluation = recipe.quantization.data, recipe.compare.data
    if calibration is None or calibration not in recipe.data or evaluation not in recipe.data:
        return
    hint = "compare on samples that calibration never saw"
    path: Path = ("compare", "data")
    flatters = f"the comparison would flatter {TYPES[recipe.quantization.type].word}"
    if calibration == evaluation:
        told = f"`{evaluation}` is also the calibration data: {flatters}"
        yield source.problem(path, told, hint)
    elif _samples(recipe.data[calibration]) == _samples(recipe.data[evaluation]):
        told = f"`{evaluation}` holds the same samples as `{calibration}`, the calibration data"
        yield source.problem(path, f"{told}: {flatters}", hint)


def backends_take_the_mode(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Every target's backend can build with the quantization mode."""
    if recipe.quantization is None:
        return
    mode = recipe.quantization.mode
    for name, target in recipe.targets.items():
        modes = target.capabilities.modes
        if mode not in modes:
            told = f"{target.kind} (target `{clip(name)}`) cannot build with `mode: {mode}`"
            use = f"use `mode: {join_names(modes, 'or')}`, or another kind of target"
            yield source.problem(("quantization", "mode"), told, use, key=True)


def turing_stays_in_floating_point(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """TensorRT-RTX has no INT8 kernels for compute capability 7.5, and then uses none at all."""
    for name, target in recipe.targets.items() if recipe.quantized == INT8.name else ():
        if TURING in getattr(target, "compute_capabilities", ()):
            path = _item(source, ("targets", name, "compute_capabilities"), TURING)
            told = (
                "7.5 (Turing) has no INT8 kernels, and in this list it takes them from the others"
            )
            hint = "remove it; Turing needs a recipe without `quantization`"
            yield source.problem(path, told, hint)


def _item(source: RecipeText, path: Path, value: float) -> Path:
    """Return the path of a list's item as it is written; the schema may have sorted it."""
    node = source.node(path)
    written = node.plain if node is not None and isinstance(node.value, list) else []
    return (*path, written.index(value)) if value in written else path


def profiles_agree(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Each profile gives shapes for the same inputs."""
    everything = {name for profile in recipe.profiles for name in profile}
    for index, profile in enumerate(recipe.profiles):
        if not profile:
            told = "a profile without inputs"
            hint = (
                "give min, opt and max shapes for an input: `input: {min: ..., opt: ..., max: ...}`"
            )
            yield source.problem(("profiles", index), told, hint)
        lacking = [f"`{clip(name)}`" for name in sorted(everything - profile.keys())]
        if profile and lacking:
            shown = join_names(lacking[:MOST_NAMES], "and")
            told = f"this profile has no shapes for {shown}, which others have"
            yield source.problem(("profiles", index), told, "give every profile the same inputs")


def shapes_are_in_order(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """On every axis, min ≤ opt ≤ max; all three have as many axes."""
    for index, profile in enumerate(recipe.profiles):
        for name, shapes in profile.items():
            yield from _shape_problems(shapes, ("profiles", index, name), source)


def _shape_problems(shapes: ProfileShapes, path: Path, source: RecipeText) -> Iterator[Problem]:
    ranks = {len(shapes.min), len(shapes.opt), len(shapes.max)}
    if len(ranks) > 1:
        told = f"min, opt and max differ in their number of axes: {list_axis_counts(shapes)}"
        yield source.problem(
            path, told, "give each as many numbers as the input has axes", key=True
        )
        return
    for low, high in (("min", "opt"), ("opt", "max")):
        pairs = zip(getattr(shapes, low), getattr(shapes, high), strict=True)
        for axis, (less, more) in enumerate(pairs):
            if less > more:
                told = f"{low} is larger than {high} on axis {axis}: {less} > {more}"
                yield source.problem((*path, low, axis), told, "shapes go min ≤ opt ≤ max")


def list_axis_counts(shapes: ProfileShapes) -> str:
    """Say how many axes each shape has: `4, 4 and 3`."""
    counts = [str(len(each)) for each in (shapes.min, shapes.opt, shapes.max)]
    return join_names(counts, "and")


def targets_have_directories(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Each target's name can be a directory of its own, on any file system."""
    seen: dict[str, str] = {}
    for name in recipe.targets:
        path: Path = ("targets", name)
        other = seen.setdefault(name.lower(), name)
        if name.lower() in list_reserved_names():
            told = f"a target cannot be called `{name}`: a build has a file of that name"
            yield source.problem(path, told, f"write `{_free_name(name, recipe)}`", key=True)
        elif name.endswith("."):
            told = f"`{name}` ends in a dot, which some file systems drop from a directory's name"
            yield source.problem(path, told, f"write `{name.rstrip('.')}`", key=True)
        elif other != name:
            line = source.find(("targets", other), key=True).line
            told = (
                f"`{name}` and `{other}` (line {line}) are one directory where case does not count"
            )
            yield source.problem(path, told, f"write `{_free_name(name, recipe)}`", key=True)


def _free_name(name: str, recipe: Recipe) -> str:
    """Return a name like another that no file of a build and no target has."""
    taken = {*list_reserved_names(), *(each.lower() for each in recipe.targets)}
    stem = name.partition(".")[0]
    return next(each for n in count(2) if (each := f"{stem}-{n}").lower() not in taken)


def weights_may_be_absent(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Only what is fetched may be out of reach."""
    reference = recipe.compare.reference if recipe.compare is not None else None
    models: tuple[tuple[Path, Any], ...] = (
        (("model",), recipe.model),
        (("compare", "reference"), reference),
    )
    for path, model in models:
        weights = getattr(model, "weights", None)
        if weights is None or weights.url is not None:
            continue
        if getattr(model, "without_weights", "fail") == "seeded":
            told = "`without_weights: seeded` is for weights by url: a missing file is an error"
            yield source.problem((*path, "without_weights"), told, "remove the line", key=True)


def _samples(data: Options) -> dict[str, Any]:
    """Return the options that choose a data source's samples, paths in one spelling."""
    options = {
        name: getattr(data, name) for name in type(data).model_fields.keys() - _HOW_MUCH_AND_HOW
    }
    if isinstance(options.get("path"), str):
        options["path"] = posixpath.normpath(options["path"])
    return options


_CHECKS: tuple[RecipeCheck, ...] = (
    calibration_data_exists,
    evaluation_data_exists,
    bench_data_exists,
    evaluation_data_is_new,
    embedding_has_its_data,
    accuracy_has_labels,
    figures_are_named_once,
    gates_judge_figures,
    backends_take_the_mode,
    turing_stays_in_floating_point,
    targets_compute_the_type,
    type_has_what_is_asked,
    awq_is_for_weights,
    the_type_is_asked_for,
    dla_gets_what_it_computes,
    dla_has_fixed_shapes,
    types_are_chosen_once,
    native_calibrators_exist,
    native_calibration_sees_no_values,
    implicit_mode_has_no_pairs,
    ranges_are_ranges,
    calibrators_have_data,
    fitting_has_data,
    precision_is_said_once,
    precision_suits_the_rest,
    checks_exist,
    profiles_agree,
    shapes_are_in_order,
    targets_have_directories,
    weights_may_be_absent,
)
"""Every rule. To tell what lacks they go by the text: what is wrong in itself is there too."""
