"""What a run left, gathered into a Record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from trtbuild.core.action import Outcome
from trtbuild.core.histograms import Histograms
from trtbuild.core.model_checks import ModelChecks
from trtbuild.core.options import Options
from trtbuild.core.overview import Overview
from trtbuild.core.quantized_types import INT8, TYPES
from trtbuild.core.records import (
    DataUse,
    FixAccount,
    FixAccounts,
    PlacedFile,
    Record,
    RequestedLayer,
    UnbuiltTarget,
)
from trtbuild.core.sensitivity import Sensitivity
from trtbuild.core.values import Ranges
from trtbuild.plan.checks import name_check_step
from trtbuild.plan.compile import name_target_step
from trtbuild.quant.account import QuantizationAccount
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.schema import Recipe
from trtbuild.store.store import Store
from trtbuild.verbs.benching.placed import read_speed
from trtbuild.verbs.coverage import measure_coverage
from trtbuild.verbs.result_places import list_placed_files, map_places, tells_of_build
from trtbuild.verbs.run_artifacts import RunArtifacts, list_manifests
from trtbuild.verbs.spreads import pick_histograms
from trtbuild.verbs.tuned import read_tuning

__all__ = ["describe_calibrator", "make_record", "name_data_use"]


def make_record(
    loaded: LoadedRecipe, told: Overview, store: Store, *, facts: Mapping[str, str], directory: Path
) -> Record:
    """Read what the steps left into one value, ready to be rendered.

    `told` is what is known of it already; `directory` is where results of searches and benches lie.

    Raises:
        CorruptObject: an artifact in the store turned out damaged.
    """
    recipe = loaded.recipe
    found = RunArtifacts(told.outcomes, store)
    ranges = found.read("quantize", "ranges", Ranges)
    table = ranges.tensors if ranges else {}
    layers = found.read("sensitivity", "sensitivity", Sensitivity)
    fixes = found.read("fix_graph", "account", FixAccounts)
    return Record(
        **dict(told),
        facts=dict(facts),
        unbuilt=tuple(_list_unbuilt(recipe, loaded.file.name, told.outcomes)),
        sensitivity=layers,
        model=recipe.model.describe(),
        data=tuple(_data(recipe, found)),
        calibrator=describe_calibrator(recipe),
        ranges=table,
        histograms=pick_histograms(
            found.read("calibrate", "histograms", Histograms),
            table,
            layers,
            TYPES.get(recipe.quantized, INT8),
        ),
        tuning=read_tuning(directory, recipe.name),
        bench=read_speed(directory, recipe, told.outcomes),
        asked=_list_requested(found),
        coverage=tuple(measure_coverage(told.targets, dict(_checks(recipe, found)))),
        fixes=tuple(_fixes(recipe, fixes)),
        files=tuple(_list_placed(recipe, told)),
    )


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


def describe_calibrator(recipe: Recipe) -> str:
    """Return the calibrator of a recipe with its options; empty where nothing has a range."""
    section = recipe.quantization
    if section is None or TYPES[section.type].weights_only:
        return ""
    return _words(section.calibrator) if section.calibrator else "none, every range by hand"


def name_data_use(recipe: Recipe) -> str:
    """Return what `quantization` uses its data for: of weights alone nothing is calibrated."""
    section = recipe.quantization
    alone = section is not None and TYPES[section.type].weights_only
    return "equalizing" if alone else "calibration"


def _words(options: Options, *, all_of_them: bool = True) -> str:
    """Write options as a person would, or what of them is set: `entropy2 (bins 2048)`."""
    values = options.model_dump(mode="json", exclude_unset=not all_of_them)
    kind = values.pop("kind")
    rest = ", ".join(f"{name} {value}" for name, value in values.items())
    return f"{kind} ({rest})" if rest else str(kind)


def _data(recipe: Recipe, found: RunArtifacts) -> Iterable[DataUse]:
    measured = recipe.quantization.data if recipe.quantization else None
    comparison = recipe.compare.data if recipe.compare else None
    for name, manifest in list_manifests(recipe, found):
        uses = {name_data_use(recipe): measured, "comparison": comparison}
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


def _list_placed(recipe: Recipe, told: Overview) -> Iterable[PlacedFile]:
    what = dict(map_places(recipe).values())
    for path, artifact in sorted(list_placed_files(told.outcomes, recipe).items()):
        if not told.refused or tells_of_build(path):
            yield PlacedFile(path=path, size_bytes=artifact.size_bytes, what=what[path])
