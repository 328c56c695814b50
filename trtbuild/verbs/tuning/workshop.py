"""Recipes with lines changed, built as far as their comparison: every step is kept in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from trtbuild.core.comparison import Comparison
from trtbuild.core.errors import RecipeError, StepFailed, StepInputError, UsageError
from trtbuild.core.overview import Overview
from trtbuild.core.quantized_types import TYPES, QuantizedType
from trtbuild.core.records import Outcome
from trtbuild.core.sensitivity import Sensitivity
from trtbuild.core.tuning import Trial
from trtbuild.data.base import Manifest
from trtbuild.plan.comparison import (
    SomeSamples,
    name_picks,
    name_some_comparison,
    name_some_run,
)
from trtbuild.plan.compile import name_capture_step
from trtbuild.plan.explain import decide
from trtbuild.plan.plan import Plan
from trtbuild.plan.sensitivity import SENSITIVITY
from trtbuild.quant.account import QuantizationAccount
from trtbuild.recipe.lines import RecipeLines
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.schema import Compare, LayerMeasurement, Quantization
from trtbuild.recipe.type_rules import multiplies
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.inference import leaving_gpu
from trtbuild.steps.base import MODEL, WEIGHTS
from trtbuild.store.store import Store
from trtbuild.verbs.build import build_plan, compile_for_machine
from trtbuild.verbs.lock_gates import add_lock_verdicts
from trtbuild.verbs.run_artifacts import RunArtifacts
from trtbuild.verbs.tuning.candidates import SECTION, Candidate
from trtbuild.verbs.tuning.levels import list_fewer
from trtbuild.verbs.tuning.standing import (
    add_standing,
    find_signal,
    list_figures,
    measure_shortfall,
)
from trtbuild.verbs.tuning.tuned_model import TunedModel

__all__ = ["Workshop", "demand_sections"]

SIGNAL = "sqnr_db"
COMPARE = "compare"


def demand_sections(loaded: LoadedRecipe) -> tuple[Quantization, Compare]:
    """Return the sections that tuning is about; a recipe without them is refused before."""
    quantization, compare = loaded.recipe.quantization, loaded.recipe.compare
    assert quantization is not None and compare is not None  # noqa: S101,PT018  # demanded before
    return quantization, compare


@dataclass(frozen=True)
class Workshop:
    """A recipe, and where candidates of it are built."""

    loaded: LoadedRecipe
    lines: RecipeLines
    """Where it is written, as it was read."""
    store: Store
    executor: Executor
    listener: Listener
    ran: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Of each candidate and data set, the files of what it made of some samples, and of which."""

    def load(self, candidate: Candidate, *, data: str = "") -> LoadedRecipe:
        """Return a candidate as a recipe, compared on `data` where that is said.

        It is what its text says once the changes are written there.

        Raises:
            RecipeError: no recipe may say such a thing.
            UsageError: the text cannot be edited.
        """
        loaded = self.lines.load(self.lines.edit(SECTION, candidate.list_changes()))
        _, compare = demand_sections(loaded)
        names = [each for each in compare.metrics if isinstance(each, str)]
        metrics = compare.metrics if SIGNAL in names else (*compare.metrics, SIGNAL)
        changed = compare.model_copy(update={"data": data or compare.data, "metrics": metrics})
        recipe = loaded.recipe.model_copy(update={COMPARE: changed})
        return replace(loaded, recipe=recipe)

    def plan(
        self,
        loaded: LoadedRecipe,
        last: str,
        *,
        layers: LayerMeasurement | None = None,
        some: int = 0,
        plain: bool = False,
        known: tuple[str, str] | None = None,
    ) -> Plan:
        """Compile a candidate as far as a step; of the `plain` recipe all samples were run.

        Of others what is `known` of some samples is not run again.

        It is remembered under a name of its own: the recipe's last run is not what was tried.
        """
        fewer = list_fewer(some, self.model.batch) if some and not plain else ()
        made, _ = compile_for_machine(
            loaded,
            self.store,
            self.executor,
            targets=(),
            fetch=True,
            layers=layers,
            some=SomeSamples(some, of_all=plain, fewer=fewer) if some else None,
            known=known,
        )
        return made.cut_after((last,)).model_copy(update={"recipe": f"{loaded.recipe.name}.tune"})

    def is_known(self, candidate: Candidate, *, data: str = "", some: int = 0) -> bool:
        """Tell whether a candidate was compared before, so that looking costs nothing."""
        try:
            made = self.plan(self.load(candidate, data=data), _name_last(some), some=some)
        except (RecipeError, UsageError):
            return True
        return self._is_made(made)

    def attempt(
        self, candidate: Candidate, trial: Trial, *, data: str = "", some: int = 0
    ) -> Trial:
        """Return a trial with what came of it; one that cannot be built says why."""
        try:
            return self.compare(candidate, trial, data=data, some=some)[0]
        except (RecipeError, StepFailed, StepInputError, UsageError) as error:
            told = {"problem": error.message.split("\n")[0], "passed": False}
            return trial.model_copy(update=told)

    def compare(
        self, candidate: Candidate, trial: Trial, *, data: str = "", some: int = 0
    ) -> tuple[Trial, Comparison]:
        """Build a candidate as far as its comparison, and say how it stands.

        On `some` samples, or on all; what it did on fewer before stays known.

        Raises:
            StepFailed, StepInputError: it cannot be built.
        """
        loaded, last = self.load(candidate, data=data), _name_last(some)
        plain, key = candidate.is_plain, (candidate.key, data)
        known = None if some else self.ran.get(key)
        made, outcomes = self._build(
            loaded, lambda: self.plan(loaded, last, some=some, plain=plain, known=known)
        )
        if some and (files := self._find_run(outcomes, some)):
            self.ran[key] = files
        read = RunArtifacts(outcomes, self.store)
        found = read.read(last, "comparison", Comparison)
        account = read.read("quantize", "account", QuantizationAccount)
        if found is None or account is None:
            raise AssertionError(last)
        if not some:
            told = Overview(
                recipe=made.recipe, file=str(loaded.file), outcomes=(), comparison=found
            )
            found = add_lock_verdicts(told, loaded).comparison or found
        gates = demand_sections(loaded)[1].gates
        figures = {
            "samples": found.samples,
            "passed": all(verdict.passed for verdict in found.verdicts),
            "shortfall": measure_shortfall(gates, found),
            "sqnr_db": find_signal(found.measures),
            "figures": tuple(list_figures(found)),
            "int8_share": self.model.find_share(account),
            "size_bytes": _size(outcomes),
        }
        return add_standing(trial, figures), found

    def _find_run(self, outcomes: tuple[Outcome, ...], some: int) -> tuple[str, str] | None:
        """Return the files of what was made of some samples, and of which; none of a run of all."""
        steps = {"outputs": name_some_run(some), "picked": name_picks(some)}
        made = {(o.step, a.name): a.digest for o in outcomes for a in o.artifacts}
        digests = [made.get((step, name), "") for name, step in steps.items()]
        if not all(digests):
            return None
        outputs, picked = (str(self.store.object_path(digest)) for digest in digests)
        return outputs, picked

    def _build(
        self, loaded: LoadedRecipe, plan: Callable[[], Plan]
    ) -> tuple[Plan, tuple[Outcome, ...]]:
        def build() -> tuple[Plan, tuple[Outcome, ...]]:
            made = plan()
            return made, build_plan(loaded, made, self.store, self.executor, self.listener)

        return leaving_gpu(self.executor, self.listener, build)

    def rank_layers(self, candidate: Candidate, samples: int, *, data: str = "") -> Sensitivity:
        """Measure each layer alone in INT8, worst first, by signal over noise and nothing else.

        What a recipe's own metrics say of each layer would cost many times as much, and put them
        in no better order.

        Raises:
            StepFailed, StepInputError: they cannot be measured.
        """
        loaded, plan = self._plan_layers(candidate, samples, data)
        _, outcomes = self._build(loaded, plan)
        found = RunArtifacts(outcomes, self.store).read(SENSITIVITY, "sensitivity", Sensitivity)
        if found is None:
            raise AssertionError(SENSITIVITY)
        return found

    def are_ranked(self, candidate: Candidate, samples: int, *, data: str = "") -> bool:
        """Tell whether its layers were measured before, so that looking costs nothing."""
        _, plan = self._plan_layers(candidate, samples, data)
        return self._is_made(plan())

    def _plan_layers(
        self, candidate: Candidate, samples: int, data: str
    ) -> tuple[LoadedRecipe, Callable[[], Plan]]:
        loaded = self.load(candidate, data=data)
        asked = LayerMeasurement(samples=samples, others=False)
        _, compare = demand_sections(loaded)
        plain = compare.model_copy(update={"metrics": (SIGNAL,), "gates": ()})
        loaded = replace(loaded, recipe=loaded.recipe.model_copy(update={COMPARE: plain}))
        return loaded, lambda: self.plan(loaded, SENSITIVITY, layers=asked)

    def _is_made(self, made: Plan) -> bool:
        return all(each.verdict == "reuse" for each in decide(made, self.store))

    @property
    def into(self) -> QuantizedType:
        """The type that the recipe quantizes to."""
        return TYPES[demand_sections(self.loaded)[0].type]

    @property
    def others(self) -> tuple[QuantizedType, ...]:
        """The other types in which layers may be on every GPU that the recipe is for."""
        targets = [x for x in self.loaded.recipe.targets.values() if x.kind != "onnxruntime"]
        return tuple(
            each
            for each in TYPES.values()
            if each != self.into
            and not (each.weights_only or self.into.weights_only)
            and targets
            and all(multiplies(target, each) for target in targets)
        )

    @cached_property
    def model(self) -> TunedModel:
        """The float model."""
        from trtbuild.model.onnx_file import load_bare

        loaded = self.load(Candidate())
        _, compare = demand_sections(loaded)
        captured = name_capture_step(compare.data)
        _, outcomes = self._build(
            loaded, lambda: self.plan(loaded, COMPARE).cut_after(("fix_graph", captured))
        )
        (model,) = (a for o in outcomes if o.step == "fix_graph" for a in o.artifacts if _is(a))
        read = RunArtifacts(outcomes, self.store)
        data = read.read(captured, "manifest", Manifest)
        if data is None:
            raise AssertionError(compare.data)
        return TunedModel(load_bare(self.store.object_path(model.digest)), loaded.recipe, data)


def _name_last(some: int) -> str:
    return name_some_comparison(some) if some else COMPARE


def _is(artifact: object) -> bool:
    return getattr(artifact, "name", "") == MODEL


def _size(outcomes: tuple[Outcome, ...]) -> int:
    made = (a for o in outcomes if o.step == "quantize" for a in o.artifacts)
    return sum(artifact.size_bytes for artifact in made if artifact.name in {MODEL, WEIGHTS})
