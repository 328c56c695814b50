"""What was built, fed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import MissingFile, StepInputError, UsageError
from trtbuild.data.arrays import read_array_file
from trtbuild.data.view import View
from trtbuild.model.feeds import Feeder
from trtbuild.recipe.load import LoadedRecipe, load_recipe
from trtbuild.run.executor import Executor
from trtbuild.verbs.running.answers import Answer, choose_answering
from trtbuild.verbs.running.feeding import FedSample, Feeding, choose_feeding
from trtbuild.verbs.running.runners import (
    Doubt,
    ModelRunner,
    RunPlace,
    choose_runner,
    doubt_nothing,
    find_side,
    name_side,
)

if TYPE_CHECKING:
    import numpy as np

__all__ = ["RunResult", "SampleRuns", "run_arrays", "run_samples"]

RECIPES = (".yaml", ".yml")
_HINT = "--input takes an npz file, with an array for each input of the model"


@dataclass(frozen=True)
class RunResult:
    """What a run gave, and what was run."""

    model: Path
    """The engine, or the ONNX model it was built from."""
    outputs: dict[str, np.ndarray]
    told: str
    """Which of them ran, and where, in words."""


@dataclass(frozen=True)
class SampleRuns:
    """Samples that are run as they are read; what ran is known once one has."""

    feeding: Feeding
    sides: dict[str, ModelRunner]
    """What runs, by what its answers are called; several where they are shown side by side."""
    answers: Iterator[tuple[FedSample, dict[str, Answer]]]


def run_arrays(  # noqa: PLR0913  # what to run, on what, and where
    path: Path,
    inputs: Path,
    executor: Executor,
    *,
    build_dir: Path,
    target: str = "",
    on: RunPlace = "any",
    plugins: Sequence[Path] = (),
    doubt: Doubt = doubt_nothing,
    side: str = "",
) -> RunResult:
    """Run a recipe's engine, or an engine, once on the arrays of an npz file.

    With a `side` (`fp32`, `quantized`) that model of the recipe, in ONNX Runtime.

    Raises:
        MissingFile: the recipe is not built, or an engine is not there.
        StepFailed: the engine does not load or run.
        StepInputError: the model does not run on these values.
        UsageError: there is no such target; the arrays cannot be read, or do not fit the model;
            what was built is not of the recipe as it stands.
        NoGpu: the engine shall run, and cannot here; says why.
    """
    feed = _read_arrays(inputs)
    recipe = _load(path)
    if side:
        runner = find_side(
            _demand_recipe(path, recipe), side, executor, build_dir=build_dir, doubt=doubt
        )
    else:
        runner = choose_runner(
            path,
            recipe,
            executor,
            build_dir=build_dir,
            target=target,
            on=on,
            plugins=plugins,
            doubt=doubt,
        )
    labels = _find_labels(recipe, feed, [spec.name for spec in runner.inputs])
    feed = {name: array for name, array in feed.items() if name not in labels}
    outputs = runner.run(feed)
    told = f"; `{'`, `'.join(labels)}` left out: labels, by the recipe's data" if labels else ""
    return RunResult(runner.model, outputs, runner.describe(feed) + told)


def run_samples(  # noqa: PLR0913  # what to run, on what, and where
    path: Path,
    inputs: Path,
    executor: Executor,
    *,
    build_dir: Path,
    target: str,
    on: RunPlace,
    plugins: Sequence[Path],
    doubt: Doubt,
    sides: Sequence[str],
    data: str,
    names: Sequence[str],
    top: int,
) -> SampleRuns:
    """Run a recipe on pictures, a video, text or sound, through the preprocessing of its data.

    Raises:
        UsageError: it is no recipe; the files are of no sort that the recipe reads.
        MissingFile, NoGpu: see `run_arrays`.
    """
    recipe = _demand_recipe(path, _load(path))
    feeding = choose_feeding(recipe, inputs, data)
    runners: dict[str, ModelRunner] = {
        name_side(recipe, side): find_side(recipe, side, executor, build_dir=build_dir, doubt=doubt)
        for side in sides
    } or {
        "": choose_runner(
            path,
            recipe,
            executor,
            build_dir=build_dir,
            target=target,
            on=on,
            plugins=plugins,
            doubt=doubt,
        )
    }
    answers = _answer_all(recipe, feeding, runners, names=names or feeding.names, top=top)
    return SampleRuns(feeding, runners, answers)


def _answer_all(
    loaded: LoadedRecipe,
    feeding: Feeding,
    runners: Mapping[str, ModelRunner],
    *,
    names: Sequence[str],
    top: int,
) -> Iterator[tuple[FedSample, dict[str, Answer]]]:
    recipe, how = loaded.recipe, feeding.how
    leave = any(runner.takes_pictures for runner in runners.values())
    for fed in feeding.samples(leave=leave):
        found: dict[str, Answer] = {}
        view = None
        if how is not None and fed.picture is not None:
            height, width = fed.picture.shape[:2]
            view = _find_inner_view(recipe.fixes, width, height) or how.view(width, height)
        for side, runner in runners.items():
            feeder = Feeder(runner.inputs, [], recipe.inputs)
            if feeder.batch != 1:
                raise UsageError(
                    f"{runner.model}: takes {feeder.batch} samples at once, and they are fed one "
                    "by one here",
                    hint="give arrays: an npz file, or open the batch axis (fix `set_dimension`)",
                )
            (feed,) = feeder.feeds([fed.sample])
            with feed.blamed():
                outputs = runner.run(feed.arrays if runner.takes_pictures else feed.finish())
            # A run of one sample: axis 0 counts it wherever outputs count samples at all.
            rows = {name: _take_only_row(each) for name, each in outputs.items()}
            answering = choose_answering(recipe, list(rows), names, top)
            found[side] = answering.answer(rows, view)
        yield fed, found


def _find_inner_view(fixes: Sequence[Any], width: int, height: int) -> View | None:
    """Return where pixels lie for a model that fits pictures into its window itself.

    None where none does, or where it brings boxes back to the picture itself.
    """
    fix = next((each for each in fixes if each.kind == "embed_preprocess"), None)
    suppressions = (each for each in fixes if each.kind == "add_nms")
    back = any((each.shift, each.stretch) != ((0, 0), (1, 1)) for each in suppressions)
    if fix is None or back or (fix.resize is None and fix.window is None):
        return None
    resized = (width, height) if fix.resize is None else fix.resize[::-1]
    size = resized if fix.window is None else fix.window[::-1]
    return View((width, height), resized, fix.corner[::-1], size)


def _take_only_row(output: np.ndarray) -> np.ndarray:
    found: np.ndarray = output[0] if output.ndim and output.shape[0] == 1 else output
    return found


def _find_labels(
    recipe: LoadedRecipe | None, feed: Mapping[str, np.ndarray], inputs: Sequence[str]
) -> list[str]:
    """Return the arrays that hold labels, as a recipe's data says, and are no inputs."""
    sources = () if recipe is None else recipe.recipe.data.values()
    labels = {told for each in sources if isinstance(told := getattr(each, "labels", None), str)}
    return [name for name in feed if name in labels and name not in inputs]


def _load(path: Path) -> LoadedRecipe | None:
    return load_recipe(path) if path.suffix in RECIPES else None


def _demand_recipe(path: Path, recipe: LoadedRecipe | None) -> LoadedRecipe:
    if recipe is None:
        raise UsageError(
            f"{path}: is no recipe, and only one says how pictures or text become what the model "
            "takes",
            hint="give the recipe; an engine takes arrays: an npz file",
        )
    return recipe


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "there is no such file"
        raise UsageError(f"--input: {path}: {what}", hint=_HINT)
    try:
        return read_array_file(path)
    except (StepInputError, MissingFile) as error:
        raise UsageError(f"--input: {error.message}", hint=_HINT) from None
