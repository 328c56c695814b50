"""What was built, fed by hand: the engine where its GPU is, elsewhere the model it is of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from trtbuild.backends.tensorrt.engine import Kind
from trtbuild.backends.tensorrt.options import TrtOptions
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile, NoGpu, StepInputError, UsageError
from trtbuild.core.placed import ENGINE, MODELS
from trtbuild.core.values import TensorSpec
from trtbuild.data.arrays import read_array_file
from trtbuild.model.feeds import demand_fit
from trtbuild.recipe.load import LoadedRecipe, load_recipe
from trtbuild.run.engines import find_gpu_place, run_engine
from trtbuild.run.executor import Executor
from trtbuild.verbs.inspect import explain_misfit, find_engine_kind, read_result_beside

if TYPE_CHECKING:
    import numpy as np

__all__ = ["RunResult", "run_model"]

RECIPES = (".yaml", ".yml")
_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
ShapeBounds = Mapping[str, tuple[Sequence[int], Sequence[int]]]
"""The smallest and the largest shape that an engine takes, by input."""
Doubt = Callable[[LoadedRecipe, Path], str]
"""Why it is not known that a file is of a recipe as it stands; an error where it is not."""


def _no_doubt(_: LoadedRecipe, __: Path) -> str:
    return ""


@dataclass(frozen=True)
class RunResult:
    """What a run gave, and what was run."""

    model: Path
    """The engine, or the ONNX model it was built from."""
    outputs: dict[str, np.ndarray]
    told: str
    """Which of them ran, and where, in words."""


@dataclass(frozen=True)
class _Engine:
    path: Path
    kind: Kind
    plugins: tuple[Path, ...] = ()


def run_model(  # noqa: PLR0913  # what to run, on what, and where
    path: Path,
    inputs: Path,
    executor: Executor,
    *,
    build_dir: Path,
    target: str = "",
    on: Literal["any", "gpu", "cpu"] = "any",
    plugins: Sequence[Path] = (),
    doubt: Doubt = _no_doubt,
) -> RunResult:
    """Run a recipe's engine, or an engine, on the arrays of an npz file.

    Where its TensorRT and GPU are here the engine itself runs; elsewhere, and `on` the CPU, the
    ONNX model that it was built from runs in ONNX Runtime. Of a recipe with several targets the
    first that can run here does, or the `target` that is named.

    Raises:
        MissingFile: the recipe is not built, or an engine is not there.
        StepFailed: the engine does not load or run.
        StepInputError: the model does not run on these values.
        UsageError: there is no such target; the arrays cannot be read, or do not fit the model;
            what was built is not of the recipe as it stands.
        NoGpu: the engine shall run, and cannot here; says why.
    """
    feed = _arrays(inputs)
    recipe = load_recipe(path) if path.suffix in RECIPES else None
    if recipe is None and target:
        raise UsageError("`--target` is for recipes", hint="give the engine, or the recipe")
    engines = (
        tuple(_engines(recipe, build_dir, target)) if recipe else _engine_of(path, tuple(plugins))
    )
    reasons = [_hindrance(engine, executor) for engine in engines]
    if on != "cpu" and "" in reasons:
        engine = engines[reasons.index("")]
        remark = _remark(recipe, engine.path, doubt)
        _demand_taken(feed, engine.path)
        found, told = run_engine(engine.kind, engine.path, inputs, executor, plugins=engine.plugins)
        return RunResult(
            engine.path, found, f"{engine.path} on this machine's GPU ({told}){remark}"
        )
    why = reasons[0] if reasons else "there is no engine of TensorRT"
    if on == "gpu":
        raise NoGpu(f"{path}: the engine cannot run here: {why}", hint="`--on cpu` runs its model")
    model = _of_recipe(recipe, build_dir) if recipe else _of_engine(path)
    asked = "" if on == "cpu" else f" ({why})"
    beyond = _beyond(feed, _profiles(recipe) if recipe else _profiles_beside(path))
    return _on_cpu(model, feed, asked + beyond + _remark(recipe, model, doubt))


def _beyond(feed: Mapping[str, np.ndarray], profiles: Sequence[ShapeBounds]) -> str:
    """Say so where the engine would not take what its model does; nothing without profiles."""
    if not profiles or any(_fits_profile(profile, feed) for profile in profiles):
        return ""
    given = ", ".join(f"`{name}` {list(feed[name].shape)}" for name in profiles[0] if name in feed)
    return f"; the engine would refuse {given}: no profile takes it"


def _fits_profile(profile: ShapeBounds, feed: Mapping[str, np.ndarray]) -> bool:
    return all(
        low <= size <= high
        for name, (lows, highs) in profile.items()
        if name in feed
        for low, size, high in zip(lows, feed[name].shape, highs, strict=False)
    )


def _profiles(loaded: LoadedRecipe) -> list[ShapeBounds]:
    if not any(isinstance(each, TrtOptions) for each in loaded.recipe.targets.values()):
        return []
    return [
        {name: (each.min, each.max) for name, each in profile.items() if not each.values}
        for profile in loaded.recipe.profiles
    ]


def _profiles_beside(engine: Path) -> list[ShapeBounds]:
    result, _ = read_result_beside(engine)
    return [
        {
            name: (shapes["min"], shapes["max"])
            for name, shapes in profile.items()
            if {"min", "max"} <= shapes.keys()
        }
        for profile in (result.profiles if result else ())
    ]


def _remark(recipe: LoadedRecipe | None, file: Path, doubt: Doubt) -> str:
    told = "" if recipe is None else doubt(recipe, file)
    return f"; {told}" if told else ""


def _on_cpu(model: Path, feed: dict[str, np.ndarray], why: str) -> RunResult:
    from trtbuild.model.outline import ModelOutline
    from trtbuild.model.session import open_session

    outline = ModelOutline.read(model)
    _demand_fed(feed, outline.inputs, of=model.name)
    outputs = open_session(model, threads=0, mapped=outline.split).run(feed)
    told = f"{model}, in ONNX Runtime on the CPU: not the engine itself{why}"
    return RunResult(model, outputs, told)


def _demand_taken(feed: Mapping[str, np.ndarray], engine: Path) -> None:
    """Demand that an engine of which it is known takes what it is fed.

    Raises:
        UsageError: the arrays do not fit its inputs, or no profile takes them.
    """
    result, _ = read_result_beside(engine)
    if result is None or not result.inputs:
        return
    inputs = [TensorSpec.model_validate_json(json.dumps(each)) for each in result.inputs]
    _demand_fed(feed, inputs, of=engine.name)
    if told := _beyond(feed, _profiles_beside(engine)):
        hint = "feed it sizes that a profile takes, or widen the profile and build again"
        raise UsageError(told.removeprefix("; "), hint=hint)


def _demand_fed(feed: Mapping[str, np.ndarray], inputs: Sequence[TensorSpec], *, of: str) -> None:
    """Demand an array for each input, in words for whoever typed `--input`.

    Raises:
        UsageError: one is lacking, of another type or shape, or of no input.
    """
    try:
        demand_fit(feed, inputs, of=of)
    except StepInputError as error:
        wanted = ", ".join(
            f"`{spec.name}` {spec.dtype} [{', '.join(map(str, spec.shape))}]" for spec in inputs
        )
        hint = f"--input takes an npz file with an array for each input: {wanted}"
        raise UsageError(f"--input: {error.message}", hint=hint) from None


def _hindrance(engine: _Engine, executor: Executor) -> str:
    """Say why an engine cannot run here; nothing where it is worth trying."""
    place = find_gpu_place(engine.kind, executor)
    return place.hindrance or explain_misfit(engine.path, place.facts)


def _engines(loaded: LoadedRecipe, build_dir: Path, target: str) -> Iterator[_Engine]:
    """Yield the engines of a recipe that are built, in the order of its targets."""
    recipe = loaded.recipe
    wanted = {target: loaded.target(target)} if target else recipe.targets
    for name, options in wanted.items():
        path = build_dir / recipe.name / name / ENGINE
        if isinstance(options, TrtOptions) and path.is_file():
            plugins = tuple(loaded.file.parent / plugin for plugin in options.plugins)
            yield _Engine(path, _KINDS[options.kind], plugins)


def _engine_of(path: Path, plugins: tuple[Path, ...]) -> tuple[_Engine, ...]:
    kind = find_engine_kind(path)
    return (_Engine(path, _KINDS[kind], plugins),) if kind in _KINDS else ()


def _of_recipe(loaded: LoadedRecipe, build_dir: Path) -> Path:
    folder = build_dir / loaded.recipe.name
    for model in MODELS.values():
        if (folder / model.file).is_file():
            return folder / model.file
    raise MissingFile(
        f"{folder}: holds no model; the recipe is not built there",
        hint=f"trtbuild apply {loaded.file} --build-dir {build_dir}",
    )


def _of_engine(path: Path) -> Path:
    result, notes = read_result_beside(path)
    for model in sorted(path.parent.parent.glob("model.*.onnx")) if result is not None else ():
        if result is not None and digest_of_file(model) == result.model_digest:
            return model
    why = notes[0] if notes else "the model that it was built from does not lie beside it"
    raise MissingFile(
        f"{path}: cannot be run here, and {why}",
        hint="run the recipe instead, or the engine where its GPU is",
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    hint = "--input takes an npz file, with an array for each input of the model"
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "there is no such file"
        raise UsageError(f"--input: {path}: {what}", hint=hint)
    try:
        return read_array_file(path)
    except (StepInputError, MissingFile) as error:
        raise UsageError(f"--input: {error.message}", hint=hint) from None
