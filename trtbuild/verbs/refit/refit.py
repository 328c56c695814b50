"""An engine takes other weights: all that is held to it before, the refit, and the gates again."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.action import Artifact, Outcome
from trtbuild.core.digest import digest_of_file
from trtbuild.core.drift import Drift
from trtbuild.core.errors import RecipeError, UsageError
from trtbuild.core.overview import Overview
from trtbuild.core.placed import DRIFT as DRIFT_FILE
from trtbuild.core.placed import ENGINE, ENGINE_RESULT, MODELS, RANGES, REFIT
from trtbuild.core.records import Record
from trtbuild.core.refit_account import RefitAccount
from trtbuild.core.regular_files import read_regular
from trtbuild.core.values import Ranges
from trtbuild.model.onnx_file import link_together, load_onnx
from trtbuild.model.same_structure import list_changed_weights, list_differences
from trtbuild.plan.compile import name_target_step
from trtbuild.plan.engine_runs import name_engine_comparison
from trtbuild.plan.explain import decide
from trtbuild.plan.lock import Lock
from trtbuild.plan.plan import Plan
from trtbuild.plan.refitting import DRIFT, RefitRequest, Refitted
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.expectations import estimate_seconds
from trtbuild.steps.base import MODEL, WEIGHTS, Pinned
from trtbuild.store.store import Store
from trtbuild.verbs.build import build_plan, compile_for_machine
from trtbuild.verbs.deliver import RenderPage, prepare_directory
from trtbuild.verbs.gated_delivery import Delivery, place_results
from trtbuild.verbs.overview import make_overview
from trtbuild.verbs.packaging.placed_build import PlacedBuild, read_build
from trtbuild.verbs.record import make_record
from trtbuild.verbs.refit.doubts import list_drifted, list_obstacles
from trtbuild.verbs.refit.new_weights import give_weights
from trtbuild.verbs.result_places import list_placed_files
from trtbuild.verbs.run_artifacts import RunArtifacts
from trtbuild.verbs.unrun_engines import list_engine_runs

__all__ = ["RefitOrder", "RefitReport", "refit_recipe"]


@dataclass(frozen=True)
class RefitOrder:
    """What is asked for."""

    target: str
    weights: Path
    build_dir: Path
    to: Path
    """Where the results go."""
    samples: int
    """On how many the values of the old and the new model are held to each other."""
    most_drift: float
    """By what factor they may differ."""


@dataclass(frozen=True)
class RefitReport:
    """What came of it."""

    engine: Path
    """The one that was to take the weights."""
    rebuild: tuple[str, ...] = ()
    """Why it has to be built anew; empty where it has not."""
    drift: Drift | None = None
    changed: int = 0
    """How many weights are others."""
    record: Record | None = None
    """Of what was made and compared; None where it has to be built anew, or has these weights."""
    directory: Path | None = None
    deferred: str = ""
    """Why the engine was not refitted here, though nothing speaks against it."""

    @property
    def passed(self) -> bool:
        """Tell whether it need not be built anew, and every gate passed."""
        verdicts = self.record.list_verdicts() if self.record is not None else ()
        return not self.rebuild and all(verdict.passed for _, verdict in verdicts)


def refit_recipe(
    loaded: LoadedRecipe,
    order: RefitOrder,
    store: Store,
    executor: Executor,
    *,
    listener: Listener,
    pages: Mapping[str, RenderPage],
) -> RefitReport:
    """Let the engine of a recipe's target take other weights, and place what comes of it.

    Scales of weights are found anew, ranges of activations stay. Where a gate does not pass, the
    engine is not placed.

    Raises:
        MissingFile: the recipe is not built, or there are no such weights.
        UsageError: there is no such target; the recipe names no weights; results would go where the
            engine lies.
        StepFailed: a step failed; of the refit itself, TensorRT does not take the weights.
    """
    renewed = give_weights(loaded, order.weights)
    build = read_build(loaded, order.build_dir, targets=[order.target], doubt=lambda *_: "")
    engine = build.directory / order.target / ENGINE
    if order.to.resolve() == build.directory.resolve():
        raise UsageError(
            f"{order.to}: there lies what the engine was built from", hint="name another folder"
        )
    if obstacles := tuple(list_obstacles(build)):
        return RefitReport(engine, obstacles)
    with store.using():
        return _Refit(renewed, order, build, store, executor, listener, pages).go()


@dataclass(frozen=True)
class _Refit:
    """A refit against which nothing speaks so far."""

    renewed: LoadedRecipe
    """The recipe with the new weights."""
    order: RefitOrder
    build: PlacedBuild
    store: Store
    executor: Executor
    listener: Listener
    pages: Mapping[str, RenderPage]

    def go(self) -> RefitReport:
        engine = self.build.engines[0].path
        model = MODELS[next(iter(self.build.models))].step
        plan, _ = self._compile()
        try:
            outcomes = self._walk(plan.cut_after((model, DRIFT)))
        except RecipeError as error:  # of the old weights it held: another type or input, say
            told = tuple(" ".join(each.message.split()) for each in error.problems)
            return RefitReport(engine, ("the recipe does not hold with these weights:", *told))
        drift = RunArtifacts(outcomes, self.store).read(DRIFT, "drift", Drift)
        differences, changed = self._compare_models(outcomes, model)
        rebuild = (
            *differences,
            *list_drifted(self.renewed.recipe, drift, self.order.most_drift),
        )
        if rebuild or not changed:
            return RefitReport(engine, rebuild, drift, len(changed))
        return self._refit(engine, drift, changed)

    def _refit(self, engine: Path, drift: Drift | None, changed: tuple[str, ...]) -> RefitReport:
        target, to = self.order.target, self.order.to
        remarks = prepare_directory(to)
        asked = Refitted(
            target, self._pin(engine), self._pin(engine.with_name(ENGINE_RESULT)), changed
        )
        plan, notes = self._compile(asked)
        last = (name_target_step(target), "compare", name_engine_comparison(target), DRIFT)
        plan = plan.cut_after(last)
        outcomes = self._walk(plan)
        told = f"the weights are those of {self.order.weights}, in an engine built with others: "
        notes += (*remarks, f"{told}{engine}")
        overview = make_overview(self.renewed, outcomes, self.store, notes=notes)
        files = list_placed_files(outcomes, self.renewed.recipe) | _find_drift(outcomes)

        def complete(told: Overview) -> Record:
            return make_record(self.renewed, told, self.store, facts=plan.facts, directory=to)

        account = self._account(changed).model_dump_json(indent=1) + "\n"
        pages = {**self.pages, REFIT: lambda _: account}
        basis = [self.renewed.recipe.model_dump(mode="json"), plan.facts, account]
        delivery = Delivery(to, pages, complete, whole=True, basis=basis)
        placed = place_results(overview, files, delivery, self.store)
        (step,) = (each for each in outcomes if each.step == name_target_step(target))
        deferred = step.message if step.status == "deferred" else ""
        return RefitReport(
            engine, (), drift, len(changed), complete(placed.overview), placed.directory, deferred
        )

    def _account(self, changed: Sequence[str]) -> RefitAccount:
        """Return where the refitted engine comes from, for whoever packs it."""
        return RefitAccount(
            recipe=self.renewed.recipe.name,
            target=self.order.target,
            weights=self.order.weights.name,
            weights_digest=digest_of_file(self.order.weights),
            refitted_from=self.build.engines[0].result.engine_digest,
            changed=len(changed),
        )

    def _compile(self, asked: Refitted | None = None) -> tuple[Plan, tuple[str, ...]]:
        """Return the plan that keeps the table of ranges; it is remembered under its own name."""
        before = self._pin(self.build.models["fp32"])
        request = RefitRequest(before, self.order.samples, asked)
        plan, notes = compile_for_machine(
            self.renewed,
            self.store,
            self.executor,
            targets=(),
            fetch=True,
            lock=_keep_ranges(self.build.directory / RANGES),
            refit=request,
        )
        name = f"{self.renewed.recipe.name}.refit"
        return plan.model_copy(update={"recipe": name}), notes

    def _walk(self, plan: Plan) -> tuple[Outcome, ...]:
        decisions = decide(plan, self.store)
        self.listener.planned(plan, decisions)
        self.listener.expected(estimate_seconds(plan, decisions, self.store))
        runs = list_engine_runs(self.renewed.recipe)
        return build_plan(
            self.renewed, plan, self.store, self.executor, self.listener, engine_runs=runs
        )

    def _compare_models(
        self, outcomes: Sequence[Outcome], step: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what differs beside weights, and the names of weights that differ."""
        made = {a.name: a for each in outcomes if each.step == step for a in each.artifacts}
        with tempfile.TemporaryDirectory() as folder:
            path = self.store.object_path(made[MODEL].digest)
            if WEIGHTS in made:
                weights = self.store.object_path(made[WEIGHTS].digest)
                path = link_together(path, weights, Path(folder))
            before, after = load_onnx(self.build.best_model), load_onnx(path)
            return tuple(list_differences(before, after)), list_changed_weights(before, after)

    def _pin(self, path: Path) -> Pinned:
        return Pinned(path=str(path.absolute()), digest=self.store.digests.digest(path))


def _keep_ranges(path: Path) -> Lock:
    """Return a lock of nothing but a table of ranges: nothing is calibrated again."""
    bare = Lock(models={}, recipe={}, sources={}, tools={}, targets={}, measures={})
    if not path.is_file():
        return bare
    table = Ranges.read_json(read_regular(path), what=str(path))
    return bare.model_copy(update={"ranges": dict(table.tensors), "samples": table.samples})


def _find_drift(outcomes: Sequence[Outcome]) -> dict[str, Artifact]:
    found = (a for each in outcomes if each.step == DRIFT for a in each.artifacts)
    return dict(zip((DRIFT_FILE,), found, strict=False))
