"""What a run left, gathered into a Record and into the files that `apply` places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from trtbuild.core.histograms import Histograms
from trtbuild.core.model_checks import ModelChecks
from trtbuild.core.options import Options
from trtbuild.core.placed import (
    COMPARISON,
    ENGINE,
    ENGINE_RESULT,
    RANGES,
    SENSITIVITY,
    TIMING_CACHE,
    list_models,
)
from trtbuild.core.quantized_types import INT8, TYPES
from trtbuild.core.records import (
    Artifact,
    Comparison,
    DataUse,
    FixAccount,
    FixAccounts,
    Outcome,
    PlacedFile,
    Record,
    RequestedLayer,
    TargetResult,
    UnbuiltTarget,
)
from trtbuild.core.sensitivity import Sensitivity
from trtbuild.core.values import Ranges
from trtbuild.data.base import Manifest
from trtbuild.plan.checks import name_check_step
from trtbuild.plan.compile import name_capture_step, name_target_step
from trtbuild.plan.engine_runs import name_engine_comparison
from trtbuild.plan.plan import Plan
from trtbuild.plan.profile_fit import find_samples_beyond_profiles
from trtbuild.quant.account import QuantizationAccount
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.schema import Recipe
from trtbuild.store.artifacts import read_artifact
from trtbuild.store.store import Store
from trtbuild.verbs.coverage import measure_coverage
from trtbuild.verbs.remarks import list_warnings
from trtbuild.verbs.spreads import pick_histograms
from trtbuild.verbs.unrun_engines import list_unrun_engines

__all__ = [
    "RunArtifacts",
    "describe_calibrator",
    "drop_run_details",
    "list_engine_comparisons",
    "list_placed_files",
    "make_record",
]

Text = TypeVar("Text", bound=Options)


def _places(recipe: Recipe) -> dict[tuple[str, str], tuple[str, str]]:
    """Return by step and artifact where each is placed, and what it is."""
    places = {("quantize", "ranges"): (RANGES, "the range of every quantized tensor")}
    for model in list_models(recipe.quantized).values():
        places[model.step, "model"] = (model.file, model.what)
        places[model.step, "weights"] = (model.weights, "its large weights")
    places["compare", "comparison"] = (COMPARISON, "what is built against the reference")
    places["sensitivity", "sensitivity"] = (SENSITIVITY, "what INT8 costs, layer by layer")
    for name in recipe.targets:
        step = name_target_step(name)
        places[step, "engine"] = (f"{name}/{ENGINE}", "the engine")
        places[step, "result"] = (f"{name}/{ENGINE_RESULT}", "what was asked for and delivered")
        places[step, "timing_cache"] = (f"{name}/{TIMING_CACHE}", "what TensorRT timed for it")
        compared = name_engine_comparison(name)
        places[compared, "comparison"] = (
            f"{name}/{COMPARISON}",
            "the engine against the reference",
        )
    return places


def list_placed_files(outcomes: Iterable[Outcome], recipe: Recipe) -> dict[str, Artifact]:
    """Return what to place, by path below the build directory."""
    places = _places(recipe)
    return {
        places[outcome.step, artifact.name][0]: artifact
        for outcome in outcomes
        for artifact in outcome.artifacts
        # A target that times nothing leaves an empty timing cache.
        if (outcome.step, artifact.name) in places and artifact.size_bytes
    }


def make_record(
    loaded: LoadedRecipe,
    plan: Plan,
    outcomes: tuple[Outcome, ...],
    store: Store,
    *,
    notes: tuple[str, ...],
) -> Record:
    """Read what the steps left into one value, ready to be rendered."""
    recipe = loaded.recipe
    found = RunArtifacts(outcomes, store)
    targets = [
        found.read(name_target_step(name), "result", TargetResult) for name in recipe.targets
    ]
    comparison = found.read("compare", "comparison", Comparison)
    ranges = found.read("quantize", "ranges", Ranges)
    table = ranges.tensors if ranges else {}
    layers = found.read("sensitivity", "sensitivity", Sensitivity)
    fixes = found.read("fix_graph", "account", FixAccounts)
    return Record(
        recipe=recipe.name,
        file=loaded.file.name,
        facts=plan.facts,
        outcomes=outcomes,
        targets=tuple(target for target in targets if target is not None),
        unbuilt=tuple(_list_unbuilt(recipe, loaded.file.name, outcomes)),
        comparison=comparison,
        engine_comparisons=tuple(list_engine_comparisons(recipe, found)),
        unrun_engines=tuple(list_unrun_engines(recipe, outcomes, comparison)),
        sensitivity=layers,
        model=_model_words(recipe),
        data=tuple(_data(recipe, found)),
        calibrator=describe_calibrator(recipe),
        ranges=table,
        histograms=pick_histograms(
            found.read("calibrate", "histograms", Histograms),
            table,
            layers,
            TYPES.get(recipe.quantized, INT8),
        ),
        asked=_list_requested(found),
        coverage=tuple(measure_coverage(targets, dict(_checks(recipe, found)))),
        fixes=tuple(_fixes(recipe, fixes)),
        files=tuple(_list_placed(recipe, outcomes)),
        notes=notes,
        warnings=(
            *list_warnings(outcomes, targets),
            *find_samples_beyond_profiles(recipe, dict(_manifests(recipe, found))),
        ),
        caveats=tuple(dict.fromkeys(c for outcome in outcomes for c in outcome.caveats)),
    )


_RUN_DETAILS: Mapping[str, dict[str, Any]] = {
    "reused": {"status": "ran"},
    "failed": {"seconds": 0.0, "log": "", "where": ""},
}
"""What of an outcome is otherwise the next time, and what a page has instead."""


def drop_run_details(record: Record) -> Record:
    """Return the record as a page shows it: what was made, however this run came by it.

    So an apply that reuses everything renders the very page of the apply that made it.
    """
    outcomes = tuple(
        outcome.model_copy(update=_RUN_DETAILS.get(outcome.status, {}))
        for outcome in record.outcomes
    )
    return record.model_copy(update={"outcomes": outcomes, "seconds": 0.0})


class RunArtifacts:
    """The small artifacts of a run, read as the values they are."""

    def __init__(self, outcomes: tuple[Outcome, ...], store: Store) -> None:
        self._artifacts = {
            (outcome.step, artifact.name): artifact
            for outcome in outcomes
            for artifact in outcome.artifacts
        }
        self._store = store

    def read(self, step: str, output: str, kind: type[Text]) -> Text | None:
        """Return an artifact as a value, or None where the run did not make it."""
        artifact = self._artifacts.get((step, output))
        if artifact is None:
            return None
        return read_artifact(self._store, artifact, kind)


def list_engine_comparisons(recipe: Recipe, found: RunArtifacts) -> Iterable[Comparison]:
    """Yield how each engine that could run compares with the reference."""
    for name in recipe.targets:
        compared = found.read(name_engine_comparison(name), "comparison", Comparison)
        if compared is not None:
            yield compared


def _list_unbuilt(
    recipe: Recipe, file: str, outcomes: Iterable[Outcome]
) -> Iterable[UnbuiltTarget]:
    by_step = {outcome.step: outcome for outcome in outcomes}
    for name, backend in recipe.targets.items():
        outcome = by_step.get(name_target_step(name))
        if outcome is not None and outcome.status in ("deferred", "failed", "not_reached"):
            install = f"{backend.capabilities.install} && " if outcome.status == "deferred" else ""
            yield UnbuiltTarget(
                target=name,
                backend=backend.kind,
                status=outcome.status,
                reason=outcome.message,
                hint=f"{install}trtbuild apply {file} --target {name}",
            )


def _model_words(recipe: Recipe) -> str:
    return recipe.model.describe()


def describe_calibrator(recipe: Recipe) -> str:
    """Return the calibrator of a recipe with its options; empty where nothing is quantized."""
    section = recipe.quantization
    if section is None:
        return ""
    return _words(section.calibrator) if section.calibrator else "none, every range by hand"


def _words(options: Options, *, all_of_them: bool = True) -> str:
    """Write options as a person would, or what of them is set: `entropy2 (bins 2048)`."""
    values = options.model_dump(mode="json", exclude_unset=not all_of_them)
    kind = values.pop("kind")
    rest = ", ".join(f"{name} {value}" for name, value in values.items())
    return f"{kind} ({rest})" if rest else str(kind)


def _manifests(recipe: Recipe, found: RunArtifacts) -> Iterable[tuple[str, Manifest]]:
    for name in recipe.data:
        manifest = found.read(name_capture_step(name), "manifest", Manifest)
        if manifest is not None:
            yield name, manifest


def _data(recipe: Recipe, found: RunArtifacts) -> Iterable[DataUse]:
    calibration = recipe.quantization.data if recipe.quantization else None
    comparison = recipe.compare.data if recipe.compare else None
    for name, manifest in _manifests(recipe, found):
        uses = {"calibration": calibration, "comparison": comparison}
        used_for = " and ".join(use for use, data in uses.items() if data == name)
        yield DataUse(
            name=name,
            kind=recipe.data[name].kind,
            used_for=used_for,
            samples=manifest.count,
            labelled=manifest.labelled,
        )


def _list_requested(found: RunArtifacts) -> tuple[RequestedLayer, ...]:
    account = found.read("quantize", "account", QuantizationAccount) or found.read(
        "convert_precision", "account", QuantizationAccount
    )
    return account.layers if account else ()


def _checks(recipe: Recipe, found: RunArtifacts) -> Iterable[tuple[str, ModelChecks]]:
    for name in recipe.targets:
        checks = found.read(name_check_step(name), "checks", ModelChecks)
        if checks is not None:
            yield name, checks


def _fixes(recipe: Recipe, accounts: FixAccounts | None) -> Iterable[FixAccount]:
    if accounts is None:
        return
    for fix, account in zip(recipe.fixes, accounts.fixes, strict=True):
        yield account.model_copy(update={"fix": _words(fix, all_of_them=False)})


def _list_placed(recipe: Recipe, outcomes: Iterable[Outcome]) -> Iterable[PlacedFile]:
    what = dict(_places(recipe).values())
    for path, artifact in sorted(list_placed_files(outcomes, recipe).items()):
        yield PlacedFile(path=path, size_bytes=artifact.size_bytes, what=what[path])
