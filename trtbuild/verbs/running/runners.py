"""What runs: the engine where its GPU is, elsewhere the model it is of."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from trtbuild.backends.tensorrt.engine import EngineKind
from trtbuild.backends.tensorrt.options import TrtOptions
from trtbuild.core.arrays import write_npz
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile, NoGpu, UsageError
from trtbuild.core.placed import ENGINE, MODELS
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.values import TensorSpec
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.engines import find_gpu_place, run_engine
from trtbuild.run.executor import Executor
from trtbuild.verbs.inspect import explain_misfit, find_engine_kind, read_result_beside
from trtbuild.verbs.running.fit import (
    demand_fed,
    list_profiles,
    list_profiles_beside,
    tell_beyond,
)
from trtbuild.verbs.running.in_onnx_runtime import InOnnxRuntime

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "Doubt",
    "ModelRunner",
    "RunPlace",
    "choose_runner",
    "doubt_nothing",
    "find_side",
    "name_side",
]

_KINDS: dict[str, EngineKind] = {kind: kind for kind in get_args(EngineKind)}
RunPlace = Literal["any", "gpu", "cpu"]
Feed = Mapping[str, "np.ndarray"]
Doubt = Callable[[LoadedRecipe, Path], str]
"""Why it is not known that a file is of a recipe as it stands; an error where it is not."""


def doubt_nothing(_: LoadedRecipe, __: Path) -> str:
    """Doubt nothing."""
    return ""


class ModelRunner(Protocol):
    """Runs one model or engine, as often as asked."""

    @property
    def model(self) -> Path:
        """The engine, or the ONNX model it was built from."""

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """What it takes; empty where an engine does not say."""

    @property
    def takes_pictures(self) -> bool:
        """Whether it makes pictures ready itself, where its GPU is: `Unfinished` arrays."""

    def run(self, feed: Feed) -> dict[str, np.ndarray]:
        """Return the outputs.

        Raises:
            UsageError: the arrays do not fit.
            StepFailed, StepInputError: it does not run on them.
        """

    def describe(self, feed: Feed) -> str:
        """Say what ran, once it has, and where."""


QUANTIZED = "quantized"
"""The model of whatever type the recipe quantizes to."""


@dataclass(frozen=True)
class _Engine:
    path: Path
    kind: EngineKind
    plugins: tuple[Path, ...] = ()


class _OnGpu:
    """An engine on this machine's GPU, each run in a process of its own."""

    takes_pictures = False

    def __init__(self, engine: _Engine, executor: Executor, remark: str) -> None:
        self.model = engine.path
        self._engine = engine
        self._executor = executor
        self._remark = remark
        self._told = ""

    @cached_property
    def inputs(self) -> Sequence[TensorSpec]:
        result, _ = read_result_beside(self.model)
        listed = result.inputs if result is not None else ()
        return [TensorSpec.model_validate_json(json.dumps(each)) for each in listed]

    def run(self, feed: Feed) -> dict[str, np.ndarray]:
        if self.inputs:
            demand_fed(feed, self.inputs, of=self.model.name)
        if told := tell_beyond(feed, list_profiles_beside(self.model)):
            hint = "feed it sizes that a profile takes, or widen the profile and build again"
            raise UsageError(told.removeprefix("; "), hint=hint)
        engine = self._engine
        with tempfile.TemporaryDirectory(prefix="trtbuild-") as folder:
            path = Path(folder) / "feed.npz"
            with write_npz(path) as file:
                for name, array in feed.items():
                    file.add(name, array)
            found, self._told = run_engine(
                engine.kind, engine.path, path, self._executor, plugins=engine.plugins
            )
        return found

    def describe(self, feed: Feed) -> str:
        del feed
        return f"{self.model} on this machine's GPU ({self._told}){self._remark}"


def choose_runner(  # noqa: PLR0913  # what to run, and where
    path: Path,
    recipe: LoadedRecipe | None,
    executor: Executor,
    *,
    build_dir: Path,
    target: str,
    on: RunPlace,
    plugins: Sequence[Path],
    doubt: Doubt,
) -> ModelRunner:
    """Return what runs an engine, or a recipe's.

    Where its TensorRT and GPU are here the engine itself runs; elsewhere, and `on` the CPU, the
    ONNX model that it was built from runs in ONNX Runtime, wherever the executor has that compute.
    Of a recipe with several targets the first that can run here does, or the `target` that is
    named.

    Raises:
        MissingFile: the recipe is not built, or an engine is not there.
        UsageError: there is no such target; what was built is not of the recipe as it stands.
        NoGpu: the engine shall run, and cannot here; says why.
    """
    if recipe is None and target:
        raise UsageError("`--target` is for recipes", hint="give the engine, or the recipe")
    engines = (
        tuple(_engines(recipe, build_dir, target)) if recipe else _engine_of(path, tuple(plugins))
    )
    reasons = [_hindrance(engine, executor) for engine in engines]
    if on != "cpu" and "" in reasons:
        engine = engines[reasons.index("")]
        return _OnGpu(engine, executor, _remark(recipe, engine.path, doubt))
    why = reasons[0] if reasons else "there is no engine of TensorRT"
    if on == "gpu":
        raise NoGpu(f"{path}: the engine cannot run here: {why}", hint="`--on cpu` runs its model")
    model = _of_recipe(recipe, build_dir) if recipe else _of_engine(path)
    asked = "" if on == "cpu" else f" ({why})"
    profiles = list_profiles(recipe) if recipe else list_profiles_beside(path)
    remark = _remark(recipe, model, doubt)
    return InOnnxRuntime(model, executor, why=asked, profiles=profiles, remark=remark)


def name_side(recipe: LoadedRecipe, side: str) -> str:
    """Return a model by its name: `quantized` is that of the recipe's type.

    Raises:
        UsageError: the recipe makes no such model.
    """
    made = recipe.recipe.quantized
    if side not in {QUANTIZED, *TYPES} or (made and side in {QUANTIZED, made}):
        return made if side == QUANTIZED else side
    told = f"quantizes to {TYPES[made].word}" if made else "quantizes nothing"
    hint = f"--{QUANTIZED} runs what it makes" if made else "--fp32 runs the model that it has"
    raise UsageError(f"{recipe.file}: {told}", hint=hint)


def find_side(
    recipe: LoadedRecipe, side: str, executor: Executor, *, build_dir: Path, doubt: Doubt
) -> ModelRunner:
    """Return what runs the `fp32`, `half` or `quantized` model of a recipe, in ONNX Runtime.

    The latter goes by its type, too: `int8`.

    Raises:
        MissingFile: it has not been built.
        UsageError: what was built is not of the recipe as it stands, or it makes no such model.
    """
    model = build_dir / recipe.recipe.name / MODELS[name_side(recipe, side)].file
    if not model.is_file():
        raise MissingFile(
            f"{model}: there is no such model",
            hint=f"trtbuild apply {recipe.file} --build-dir {build_dir}, if the recipe makes one",
        )
    remark = _remark(recipe, model, doubt)
    return InOnnxRuntime(model, executor, profiles=list_profiles(recipe), remark=remark)


def _remark(recipe: LoadedRecipe | None, file: Path, doubt: Doubt) -> str:
    told = "" if recipe is None else doubt(recipe, file)
    return f"; {told}" if told else ""


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
