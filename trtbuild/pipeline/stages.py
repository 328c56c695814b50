"""Stages become parts: a recipe's model is fed, run and read by three, which overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from trtbuild.core.entrypoint import load_entrypoint
from trtbuild.core.errors import StepInputError, UsageError
from trtbuild.data.preprocess import Preprocess
from trtbuild.pipeline.fed_model import FedModel
from trtbuild.pipeline.handed_on import demand_sound
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.load import LoadedPipeline
from trtbuild.pipeline.schema import Stage
from trtbuild.pipeline.workers import StagePart
from trtbuild.recipe.load import LoadedRecipe, load_recipe
from trtbuild.runtime.recipes import Doubt, open_built
from trtbuild.verbs.running.answers import choose_answering

__all__ = ["make_parts"]

TOP = 1


def make_parts(
    loaded: LoadedPipeline, build_dir: Path, doubt: Doubt = lambda *_: ""
) -> list[StagePart]:
    """Return the parts of all stages, in order; engines are loaded.

    Raises:
        RecipeError, MissingFile, UsageError: a stage's recipe is wrong, not built, or takes no
            pictures; a function is not there.
        StepInputError, MissingDependency: an engine does not load.
    """
    found: list[StagePart] = []
    try:
        for name, stage in loaded.pipeline.stages.items():
            found += _make(name, stage, loaded.base, build_dir, doubt)
    except BaseException:
        for each in found:
            each.close()
        raise
    return found


def _make(
    name: str, stage: Stage, base: Path, build_dir: Path, doubt: Doubt
) -> Iterator[StagePart]:
    if stage.python is not None:
        yield _make_function(name, stage, load_entrypoint(stage.python, base))
        return
    recipe = load_recipe(base / str(stage.recipe))
    how, given, classes = _find_preprocess(recipe, stage.data)
    engine = open_built(recipe, build_dir, device=stage.device, threads=stage.threads, doubt=doubt)
    try:
        answering = choose_answering(
            recipe.recipe, [each.name for each in engine.outputs], classes, TOP
        )
        model = FedModel(name, engine, how, given, recipe, most=stage.batch)
    except BaseException:
        engine.close()
        raise
    yield StagePart(name, "copy to the GPU" if model.copies else "preprocess", model.preprocess)
    yield StagePart(
        name,
        "infer",
        model.infer,
        stage.batch,
        stage.wait_ms / 1e3,
        runs=engine.described,
        why=engine.why,
        close=model.close,
    )
    yield StagePart(name, "answer", lambda items: model.answer(items, answering))


def _make_function(name: str, stage: Stage, function: Callable[..., Any]) -> StagePart:
    def work(items: Sequence[Item]) -> list[Item]:
        done = []
        for item in items:
            made = _call(name, function, item)
            if made is not None:
                done.append(made)
        return done

    return StagePart(name, function.__name__, work, stage.batch, stage.wait_ms / 1e3)


def _call(name: str, function: Callable[..., Any], item: Item) -> Item | None:
    number = item.number
    try:
        made = function(item)
    except (Exception, SystemExit) as error:
        raise StepInputError(
            f"stage `{name}`: {function.__name__} raised {type(error).__name__} on frame "
            f"{item.name}: {error}"
        ) from error
    if made is not None and not isinstance(made, Item):
        raise StepInputError(
            f"stage `{name}`: {function.__name__} returned {type(made).__name__}",
            hint="return the item, or None to leave it out",
        )
    if made is not None:
        whose = f"stage `{name}`: {function.__name__} on frame {item.name}"
        if made.number != number:
            raise StepInputError(
                f"{whose}: was given frame number {number}, and returned {made.number}",
                hint="return the item that was given, or None to leave it out",
            )
        demand_sound(made, whose)
    return made


def _find_preprocess(
    loaded: LoadedRecipe, asked: str | None
) -> tuple[Preprocess, str, tuple[str, ...]]:
    """Return how a recipe makes pictures what its model takes, the input, and names of classes."""
    recipe = loaded.recipe
    compared = recipe.compare.data if recipe.compare else None
    calibrated = recipe.quantization.data if recipe.quantization else None
    name = asked or compared or calibrated or ""
    source = recipe.data.get(name)
    how = getattr(source, "preprocess", None)
    if source is None or not isinstance(how, Preprocess):
        raise UsageError(
            f"{loaded.file}: data `{name}` has no `preprocess`, which says how a picture becomes "
            "what the model takes",
            hint="name a data set that has one: `data: NAME`",
        )
    find = getattr(source, "find_class_names", None)
    classes = tuple(find(loaded.file.parent.absolute())) if find is not None else ()
    return how, str(getattr(source, "input", "")), classes
