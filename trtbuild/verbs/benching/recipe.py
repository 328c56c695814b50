"""How fast what a recipe builds is: built where it is not, then always measured anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trtbuild.backends.tensorrt.options import TrtOptions
from trtbuild.core.accuracy import Accuracy
from trtbuild.core.action import Artifact, Outcome
from trtbuild.core.errors import UsageError
from trtbuild.core.placed import MODELS, list_models
from trtbuild.data.base import Manifest
from trtbuild.model.outline import ModelOutline
from trtbuild.plan.compile import name_capture_step, name_target_step
from trtbuild.plan.explain import decide
from trtbuild.plan.export_sizes import list_profiles, list_value_inputs
from trtbuild.plan.plan import Plan
from trtbuild.plan.timing import TimedData, name_timed_samples
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.expectations import estimate_seconds
from trtbuild.steps.base import WEIGHTS, Pinned
from trtbuild.steps.import_model import ImportModel
from trtbuild.steps.time_load import BatchShapes
from trtbuild.steps.timed_subjects import FedSamples, TimedSubject, Timings
from trtbuild.store.store import Store
from trtbuild.timing.judge import judge_speed
from trtbuild.timing.section import Bench
from trtbuild.verbs.benching.accuracy import recall_accuracy
from trtbuild.verbs.benching.engines import EnginePlaces, find_engines
from trtbuild.verbs.benching.loads import choose_batches
from trtbuild.verbs.benching.locked import make_recall
from trtbuild.verbs.benching.measure import BenchWork, measure
from trtbuild.verbs.benching.report import BenchReport, DrawFiles, draw_nothing, place_bench
from trtbuild.verbs.benching.request import BenchRequest, choose_runners, demand_timed
from trtbuild.verbs.benching.shapes import choose_shapes
from trtbuild.verbs.build import build_plan, compile_for_machine
from trtbuild.verbs.deliver import prepare_directory
from trtbuild.verbs.run_artifacts import RunArtifacts

__all__ = ["PreparedBench", "bench_recipe", "prepare_bench"]

MOST_SAMPLES = 32
"""Taken out of the data; a larger batch takes them again and again."""


@dataclass(frozen=True)
class PreparedBench:
    """A recipe that is built as far as it is timed."""

    loaded: LoadedRecipe
    work: BenchWork
    accuracy: tuple[Accuracy, ...]

    @property
    def section(self) -> Bench:
        """What the recipe says of it."""
        return self.loaded.recipe.bench or Bench()


def bench_recipe(
    loaded: LoadedRecipe,
    store: Store,
    *,
    executor: Executor,
    directory: Path,
    request: BenchRequest,
    listener: Listener,
    draw: DrawFiles = draw_nothing,
) -> BenchReport:
    """Time the models of a recipe, and the engines that can run here; place `bench.json`.

    Beside it goes what `draw` makes of the result, by name.

    What is not built is built first, models only as far as nothing is compared. A time is never
    taken from the store: what was measured is kept there by time, to be held against.

    Raises:
        RecipeError, StepFailed: it cannot be built.
        UsageError: what is asked for fits none of its models.
    """
    remarks = prepare_directory(directory)
    with store.using():
        made = prepare_bench(loaded, store, executor, request, listener, remarks)
        result = measure(made.work, executor, listener)
        demand_timed(result, request)
        verdicts = judge_speed(made.section.gates, result, make_recall(loaded, result))
        result = result.model_copy(update={"verdicts": verdicts, "accuracy": made.accuracy})
        files = place_bench(result, directory, store, draw)
    return BenchReport(result, files)


def prepare_bench(  # all that it rests on
    loaded: LoadedRecipe,
    store: Store,
    executor: Executor,
    request: BenchRequest,
    listener: Listener,
    remarks: Sequence[str] = (),
) -> PreparedBench:
    """Build what is not built of a recipe, and return what is to be timed.

    Raises:
        RecipeError, StepFailed: it cannot be built.
        UsageError: what is asked for fits none of its models.
    """
    section = loaded.recipe.bench or Bench()
    data = _choose_data(loaded, section, request)
    timed = None if data is None else TimedData(data, MOST_SAMPLES)
    made, notes = compile_for_machine(loaded, store, executor, targets=(), fetch=True, timed=timed)
    accuracy, doubts = recall_accuracy(loaded, made, store)
    places = find_engines(loaded, executor)
    made = made.cut_after((*_list_wanted(made, timed), *map(name_target_step, places.runnable)))
    decisions = decide(made, store)
    listener.planned(made, decisions)
    listener.expected(estimate_seconds(made, decisions, store))
    outcomes = build_plan(loaded, made, store, executor, listener)
    models = tuple(_list_models(loaded, outcomes, store))
    outline = ModelOutline.read(Path(models[0].model.path))
    modules = tuple(_list_modules(loaded, made, outcomes, store))
    work = BenchWork(
        name=loaded.recipe.name,
        subjects=(*modules, *models, *_list_engines(loaded, places, outcomes, store, models)),
        runners=choose_runners(section.runners),
        timings=Timings(
            protocol=request.protocol,
            shapes=choose_shapes(
                outline.inputs,
                list_profiles(loaded.recipe),
                batches=request.batches or (() if request.shapes else section.batches),
                shapes=request.shapes or (() if request.batches else section.shapes),
            ),
            values=list_value_inputs(loaded.recipe),
            fed=_feed(loaded, timed, outcomes, store),
            only=request.only,
        ),
        not_run=places.not_run,
        notes=(*notes, *remarks, *doubts, *filter(None, [store.remark])),
        cold=request.cold,
        load=request.load,
        batches=_choose_batches(loaded, outline, request),
    )
    return PreparedBench(loaded, work, accuracy)


def _choose_data(loaded: LoadedRecipe, section: Bench, request: BenchRequest) -> str | None:
    """Return the data set that is fed; None where inputs are drawn."""
    recipe = loaded.recipe
    own = request.data or section.data or (recipe.compare.data if recipe.compare else None)
    if own is None and recipe.quantization is not None:
        own = recipe.quantization.data
    if own is not None and own not in recipe.data:
        raise UsageError(
            f"--data {own}: there is no data set `{own}`",
            hint=f"data sets: {', '.join(sorted(recipe.data)) or 'none'}",
        )
    return own


def _choose_batches(
    loaded: LoadedRecipe, outline: ModelOutline, request: BenchRequest
) -> tuple[BatchShapes, ...]:
    if request.load is None:
        return ()
    return choose_batches(
        outline.inputs, list_profiles(loaded.recipe), request.shapes, request.load
    )


def _list_wanted(made: Plan, timed: TimedData | None) -> tuple[str, ...]:
    steps = dict.fromkeys(model.step for model in MODELS.values())
    names = [*steps, *([] if timed is None else [name_timed_samples(timed)])]
    return tuple(name for name in names if any(each.name == name for each in made.steps))


def _list_models(
    loaded: LoadedRecipe, outcomes: Sequence[Outcome], store: Store
) -> Iterator[TimedSubject]:
    """Yield the models that a recipe makes: as it came, in 16 bits, quantized."""
    left = {outcome.step: _by_name(outcome) for outcome in outcomes}
    for name, model in reversed(list_models(loaded.recipe.quantized).items()):
        artifacts = left.get(model.step, {})
        if "model" in artifacts:
            yield TimedSubject(
                name=name,
                model=_pin(artifacts["model"], store),
                weights=_pin(artifacts[WEIGHTS], store) if WEIGHTS in artifacts else None,
            )


def _list_modules(
    loaded: LoadedRecipe, made: Plan, outcomes: Sequence[Outcome], store: Store
) -> Iterator[TimedSubject]:
    """Yield the module that a recipe starts from, where it starts from one."""
    source = loaded.recipe.model
    if source.kind == "onnx":
        return
    (step,) = (each.step for each in made.steps if each.name == "import_model")
    (left,) = (each for each in outcomes if each.step == "import_model")
    assert isinstance(step, ImportModel)  # noqa: S101  # what has this name is one
    yield TimedSubject(
        name="source",
        sort="module",
        model=_pin(_by_name(left)["model"], store),
        weights=step.weights,
        source=source,
        base=step.base,
    )


def _by_name(outcome: Outcome) -> Mapping[str, Artifact]:
    return {artifact.name: artifact for artifact in outcome.artifacts}


def _pin(artifact: Artifact, store: Store) -> Pinned:
    return Pinned(path=str(store.object_path(artifact.digest)), digest=artifact.digest)


def _feed(
    loaded: LoadedRecipe, timed: TimedData | None, outcomes: Sequence[Outcome], store: Store
) -> FedSamples | None:
    if timed is None:
        return None
    found = RunArtifacts(tuple(outcomes), store)
    manifest = found.read(name_capture_step(timed.name), "manifest", Manifest)
    picked = next(each for each in outcomes if each.step == name_timed_samples(timed))
    if manifest is None:
        return None
    return FedSamples(
        name=timed.name,
        samples=_pin(_by_name(picked)["samples"], store),
        tensors=manifest.tensors,
        inputs=loaded.recipe.inputs,
    )


def _list_engines(
    loaded: LoadedRecipe,
    places: EnginePlaces,
    outcomes: Sequence[Outcome],
    store: Store,
    models: Sequence[TimedSubject],
) -> Iterator[TimedSubject]:
    """Yield the engines that can run here, once they are built."""
    for name in places.runnable:
        target = loaded.recipe.targets[name]
        plugins = target.plugins if isinstance(target, TrtOptions) else ()
        step = next(each for each in outcomes if each.step == name_target_step(name))
        yield TimedSubject(
            name=name,
            sort="engine",
            model=_pin(_by_name(step)["engine"], store),
            flavour=target.kind,
            built_from=models[-1].model,
            plugins=tuple(
                Pinned(path=str(path), digest=store.digests.digest(path))
                for path in (loaded.file.parent.absolute() / each for each in plugins)
            ),
        )
