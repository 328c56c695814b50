"""What a recipe alone shows not to fit: files that are not here, inputs that no model has.

All that can be known before a model is exported or a sample is read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.backends.tensorrt.options import MANAGED, GpuTrtOptions, TrtOptions
from trtbuild.core.errors import MissingFile, TrtbuildError
from trtbuild.core.frozen import frozen
from trtbuild.core.regular_files import open_regular
from trtbuild.core.values import TensorSpec
from trtbuild.data import holds_pictures
from trtbuild.data.truths.base import tells_classes
from trtbuild.measure.entrypoint import MetricsPython
from trtbuild.plan.compile import list_used_data
from trtbuild.plan.feeding_fit import find_data_problems, find_unknown_inputs
from trtbuild.plan.nearest import suggest_nearest
from trtbuild.plan.preflight import find_profile_problems, find_string_problems
from trtbuild.plan.profile_fit import find_samples_beyond_profiles
from trtbuild.plan.stated_data import state_manifest
from trtbuild.recipe.problems import Path as At
from trtbuild.recipe.problems import Problem

if TYPE_CHECKING:
    from trtbuild.data import AnyDataSource
    from trtbuild.data.picture_files import PictureFiles
    from trtbuild.recipe.load import ExaminedRecipe
    from trtbuild.recipe.schema import Recipe
    from trtbuild.sources.base import Source


__all__ = ["UnusableFile", "find_input_doubts", "find_input_problems", "find_unusable_files"]


@frozen
class UnusableFile:
    """A file that a recipe names and that cannot be used, and why."""

    at: At
    """Where the recipe names it."""
    error: TrtbuildError


def find_unusable_files(examined: ExaminedRecipe, *, data: bool = True) -> list[UnusableFile]:
    """Find what a recipe names and is not here, or cannot be used.

    Without `data`, what is only there to calibrate and compare is left out.
    """
    recipe, base = examined.recipe, examined.file.parent.absolute()
    if recipe is None:
        return []
    found: list[UnusableFile] = []
    for section, lists in _LISTS.items():
        if section in _MEASURING and not data:
            continue
        # To read what is wrong in a recipe raises, and of that there is nothing to look for.
        unread = (AttributeError,) if section in examined.unsound else ()
        with contextlib.suppress(*unread):
            for at, look in lists(recipe, base):
                with contextlib.suppress(*unread):
                    found += (UnusableFile(at, error) for error in _try(look))
    return found


def _try(look: FileLook) -> Iterator[TrtbuildError]:
    try:
        look()
    except TrtbuildError as error:
        yield error


def find_input_problems(examined: ExaminedRecipe) -> Iterator[Problem]:
    """Yield where profiles and data do not fit the inputs that a model says it has.

    A torch model's stand in the recipe, an ONNX model's at the beginning of the file.
    """
    recipe, unsound = examined.recipe, examined.unsound
    if recipe is None or {"model", "fixes"} & unsound:
        return
    inputs = _inputs(recipe, examined.file.parent.absolute())
    if not inputs:
        return
    yield from find_string_problems(examined.source, inputs)
    if "inputs" not in unsound:
        yield from find_unknown_inputs(recipe, examined.source, inputs)
    if "profiles" not in unsound:
        yield from find_profile_problems(recipe, examined.source, inputs)
    for data in _list_sound_data(recipe, unsound):
        yield from _until_unread(unsound, _data_problems(examined, recipe, data, inputs))


def _list_sound_data(recipe: Recipe, unsound: Collection[str]) -> list[str]:
    """Return the data sets that something reads, as far as both can be read themselves."""
    if not unsound:
        return [name for name in list_used_data(recipe) if name in recipe.data]
    used = []
    for section in ("quantization", "compare"):
        with contextlib.suppress(AttributeError):
            used.append(getattr(recipe, section).data)
    with contextlib.suppress(AttributeError):
        return [name for name in dict.fromkeys(used) if name in recipe.data]
    return []


def find_input_doubts(examined: ExaminedRecipe) -> Iterator[Problem]:
    """Yield warnings of samples that no engine would take, as far as the recipe states them."""
    recipe = examined.recipe
    if recipe is None or {"profiles", "inputs"} & examined.unsound:
        return
    for data in _list_sound_data(recipe, examined.unsound):
        yield from _until_unread(examined.unsound, _data_doubts(examined, recipe, data))


def _data_doubts(examined: ExaminedRecipe, recipe: Recipe, data: str) -> Iterator[Problem]:
    stated = state_manifest(recipe.data[data], examined.file.parent.absolute())
    for told in find_samples_beyond_profiles(recipe, {data: stated} if stated else {}):
        message, _, hint = told.removesuffix(")").partition(" (hint: ")
        found = examined.source.problem(("data", data), message, hint, key=True)
        yield found.model_copy(update={"level": "warning"})


def _until_unread(unsound: Collection[str], found: Iterator[Problem]) -> Iterator[Problem]:
    """Yield what is found before an option would be read that is wrong itself."""
    with contextlib.suppress(*([AttributeError] if unsound else [])):
        yield from found


def _data_problems(
    examined: ExaminedRecipe, recipe: Recipe, data: str, inputs: tuple[TensorSpec, ...]
) -> Iterator[Problem]:
    source, names = recipe.data[data], [spec.name for spec in inputs]
    option, named = _name_inputs(source)
    unknown = [name for name in named if name not in names]
    for name in unknown:
        at: At = ("data", data, option)
        told = f"data `{data}` gives an array for `{name}`; the model has no such input"
        hint = suggest_nearest(name, names)
        if source.kind == "text" and "inputs" not in source.model_fields_set:
            taken = ", ".join(f"{each}: {each}" for each in source.inputs if each in names)
            hint = f"say what it takes: `inputs: {{{taken or f'{names[0]}: input_ids'}}}`"
        yield examined.source.problem(at, told, hint)
    if not unknown and "inputs" not in examined.unsound:
        stated = state_manifest(source, examined.file.parent.absolute())
        if stated is not None:
            yield from find_data_problems(recipe, examined.source, inputs, {data: stated})


def _name_inputs(source: AnyDataSource) -> tuple[str, Iterable[str]]:
    """Return the inputs that a recipe names for data, and where; files and code name the others."""
    if source.kind == "random":
        return "inputs", source.inputs
    if source.kind == "text":
        return "inputs", source.inputs
    if source.kind == "datasets":
        return "columns", source.columns
    archive = source.kind == "arrays" and not source.path.endswith(".npy")
    if archive or (source.kind == "python" and "input" not in source.model_fields_set):
        return "input", ()
    return "input", (source.input,)


def _inputs(recipe: Recipe, base: Path) -> tuple[TensorSpec, ...]:
    """Return the inputs as the fixes leave them; none where that is not known."""
    found = recipe.model.find_inputs(base)
    for fix in recipe.fixes:
        found = fix.foresee(found)
    return found


Looks = Iterator[tuple[At, "FileLook"]]


class _LabelFiles:
    """The files of labels of pictures, looked for as others are."""

    def __init__(self, source: PictureFiles) -> None:
        self._source = source

    def find_files(self, base: Path) -> tuple[Path, ...]:
        try:
            self._source.find_names(base)
        except MissingFile:  # that the pictures are not here is told where they are named
            return ()
        kind = self._source.find_label_kind()
        if tells_classes(kind):
            return () if kind == "folders" else (base / kind.path,)
        return tuple(self._source.find_label_files(base).values())


class _MetricFiles:
    """The code of a metric of the team's own."""

    def __init__(self, metric: MetricsPython) -> None:
        self._metric = metric

    def find_files(self, base: Path) -> tuple[Path, ...]:
        return tuple(self._metric.find_files(base).values())


class FileLook:
    """Looks for one file, or for those of a part of a recipe."""

    def __init__(self, part: object, base: Path) -> None:
        self._part, self._base = part, base

    def __call__(self) -> None:
        """Look.

        Raises:
            TrtbuildError: it is not there, or cannot be used.
        """
        if isinstance(self._part, str):
            files = (self._base / self._part,)
        else:
            files = self._part.find_files(self._base)  # type: ignore[attr-defined]  # it has some
        for path in files[:1]:  # of thousands, one tells whether git LFS has fetched them
            open_regular(path).close()


def _of_model(recipe: Recipe, base: Path) -> Looks:
    yield from _of_source(("model",), recipe.model, base)


def _of_source(at: At, model: Source, base: Path) -> Looks:
    if model.is_here():  # else it is fetched, and then looked at
        yield (*at, model.place_option), FileLook(model, base)
    weights = getattr(model, "weights", None)
    if weights is not None and weights.path is not None:
        yield (*at, "weights", "path"), FileLook(weights.path, base)


def _of_fixes(recipe: Recipe, base: Path) -> Looks:
    for place, fix in enumerate(recipe.fixes):
        if fix.kind == "python":
            yield ("fixes", place, "entrypoint"), FileLook(fix, base)


def _of_data(recipe: Recipe, base: Path) -> Looks:
    for name, source in recipe.data.items():
        if source.kind != "random":
            option = "path" if hasattr(source, "path") else "entrypoint"
            yield ("data", name, option), FileLook(source, base)
        if holds_pictures(source) and hasattr(source.find_label_kind(), "path"):
            at = ("labels", "path") if "labels" in type(source).model_fields else ("path",)
            yield ("data", name, *at), FileLook(_LabelFiles(source), base)


def _of_quantization(recipe: Recipe, base: Path) -> Looks:
    section = recipe.quantization
    calibrator = None if section is None else section.calibrator
    if calibrator is not None and calibrator.kind == "cache":
        yield ("quantization", "calibrator", "path"), FileLook(calibrator, base)
    if section is not None and section.ranges_file is not None:
        yield ("quantization", "ranges_file"), FileLook(section.ranges_file, base)


def _of_targets(recipe: Recipe, base: Path) -> Looks:
    for name, target in recipe.targets.items():
        for index, plugin in enumerate(target.plugins if isinstance(target, TrtOptions) else ()):
            yield ("targets", name, "plugins", index), FileLook(plugin, base)
        if isinstance(target, GpuTrtOptions) and target.timing_cache != MANAGED:
            yield ("targets", name, "timing_cache"), FileLook(target.timing_cache, base)


def _of_compare(recipe: Recipe, base: Path) -> Looks:
    if recipe.compare is None:
        return
    for place, metric in enumerate(recipe.compare.metrics):
        if isinstance(metric, MetricsPython):
            yield ("compare", "metrics", place, "entrypoint"), FileLook(_MetricFiles(metric), base)
    if recipe.compare.reference is not None:
        yield from _of_source(("compare", "reference"), recipe.compare.reference, base)


_LISTS = {
    "model": _of_model,
    "fixes": _of_fixes,
    "data": _of_data,
    "quantization": _of_quantization,
    "targets": _of_targets,
    "compare": _of_compare,
}
_MEASURING = frozenset({"data", "compare"})
