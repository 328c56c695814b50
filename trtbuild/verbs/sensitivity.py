"""What INT8 costs a recipe's model, layer by layer."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.action import Outcome
from trtbuild.core.errors import StepInputError, TrtbuildError, UsageError
from trtbuild.core.placed import SENSITIVITY as FILE
from trtbuild.core.quantized_types import TYPES, join_words
from trtbuild.core.sensitivity import PickedSamples, Sensitivity
from trtbuild.data.archive import read_samples
from trtbuild.data.base import Manifest
from trtbuild.model.feeds import Feed, Feeder
from trtbuild.model.onnx_file import link_together
from trtbuild.model.outline import ModelOutline
from trtbuild.plan.compile import name_capture_step
from trtbuild.plan.explain import decide
from trtbuild.plan.plan import Plan
from trtbuild.plan.sensitivity import PARTS, PICK, SENSITIVITY, name_part
from trtbuild.quant.account import QuantizationAccount
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.schema import LayerMeasurement
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.expectations import estimate_seconds
from trtbuild.steps.base import WEIGHTS
from trtbuild.steps.measure_layers import choose_layers
from trtbuild.store.store import Store
from trtbuild.verbs.build import build_plan, compile_for_machine
from trtbuild.verbs.deliver import deliver_files, prepare_directory
from trtbuild.verbs.run_artifacts import RunArtifacts

__all__ = ["LayerCost", "LayerReport", "measure_layers"]


@dataclass(frozen=True)
class LayerCost:
    """What measuring is going to cost."""

    layers: int
    samples: int
    others: bool
    """Whether all but each layer are run in INT8 too."""
    passes: int
    """Each over a part of the network, on average about half of it."""
    seconds: float
    """An estimate, from a pass that was measured on this machine."""
    word: str = "INT8"
    """What layers are quantized to."""


@dataclass(frozen=True)
class LayerReport:
    """What was measured, and where it lies."""

    sensitivity: Sensitivity
    file: Path
    notes: tuple[str, ...]


def measure_layers(
    loaded: LoadedRecipe,
    store: Store,
    *,
    executor: Executor,
    directory: Path,
    asked: LayerMeasurement,
    listener: Listener,
    announce: Callable[[LayerCost], None],
) -> LayerReport:
    """Measure the layers of a recipe's model and place the result.

    What was measured before, in a run that was interrupted say, is not measured again. Of what is
    to be spent `announce` is told first, unless there is nothing to spend.

    Raises:
        UsageError: the recipe quantizes nothing, or compares on no data, or a pattern for layers
            means none.
        StepFailed: a step failed; what other steps made is in the store.
    """
    _demand_sections(loaded)
    remarks = prepare_directory(directory)
    with store.using():
        made, notes = compile_for_machine(
            loaded, store, executor, targets=(), fetch=True, layers=asked
        )
        made = made.cut_after((SENSITIVITY,))
        decisions = decide(made, store)
        listener.planned(made, decisions)
        listener.expected(estimate_seconds(made, decisions, store))
        first = build_plan(loaded, made.cut_after(("quantize", PICK)), store, executor, listener)
        if _is_ahead(made, store):
            announce(_estimate(loaded, asked, first, store))
        outcomes = build_plan(loaded, made, store, executor, listener)
        found = RunArtifacts(outcomes, store).read(SENSITIVITY, "sensitivity", Sensitivity)
        artifact = next(a for o in outcomes if o.step == SENSITIVITY for a in o.artifacts)
        deliver_files(directory, store, artifacts={FILE: artifact}, pages={}, basis="", whole=False)
    if found is None:
        raise AssertionError(SENSITIVITY)
    told = tuple(filter(None, [*notes, *remarks, store.remark, *found.remarks]))
    return LayerReport(found, directory / FILE, told)


def _demand_sections(loaded: LoadedRecipe) -> None:
    recipe = loaded.recipe
    if recipe.quantization is None:
        raise UsageError(
            f"{loaded.file}: nothing is quantized: there is no section `quantization`",
            hint="trtbuild kinds quantization lists what makes INT8",
        )
    if recipe.compare is None:
        raise UsageError(
            f"{loaded.file}: there is no section `compare`, which says on which data to measure",
            hint="add `compare: {data: NAME}`, NAME being a data set that calibration does not see",
        )


def _is_ahead(made: Plan, store: Store) -> bool:
    """Tell whether any layer is still to be measured."""
    names = {name_part(part) for part in range(PARTS)}
    return any(each.step in names and each.verdict != "reuse" for each in decide(made, store))


def _estimate(
    loaded: LoadedRecipe, asked: LayerMeasurement, outcomes: Sequence[Outcome], store: Store
) -> LayerCost:
    """Count the passes, and measure two of them."""
    found = RunArtifacts(tuple(outcomes), store)
    account = found.read("quantize", "account", QuantizationAccount)
    picked = found.read(PICK, "picked", PickedSamples)
    assert account is not None and picked is not None  # noqa: S101,PT018  # the steps have run
    layers, samples = len(_choose(account, asked)), len(picked.names)
    passes = (1 + asked.others) * layers * samples
    each = _measure_pass(loaded, outcomes, store)
    word = join_words(layer.precision for layer in account.layers)
    return LayerCost(
        layers, samples, asked.others, passes, (passes / 2 + 2 * PARTS * samples) * each, word
    )


def _choose(account: QuantizationAccount, asked: LayerMeasurement) -> Mapping[str, str]:
    """Return the layers that are asked for; a pattern that means none is an error of its writer.

    Raises:
        UsageError: there is such a pattern.
        StepInputError: no layer is in INT8.
    """
    try:
        return choose_layers(account, asked.layers)
    except StepInputError as error:
        if any(layer.precision in TYPES for layer in account.layers):
            raise UsageError(error.message, hint=error.hint) from None
        raise


def _measure_pass(loaded: LoadedRecipe, outcomes: Sequence[Outcome], store: Store) -> float:
    """Return the seconds of a forward pass, the mean of the float and the quantized model's.

    0 where that cannot be told: nothing else rests on it.
    """
    paths = {
        (outcome.step, artifact.name): store.object_path(artifact.digest)
        for outcome in outcomes
        for artifact in outcome.artifacts
    }
    compare = loaded.recipe.compare
    name = "" if compare is None else compare.data
    found = RunArtifacts(tuple(outcomes), store)
    manifest = found.read(name_capture_step(name), "manifest", Manifest)
    seconds = 0.0
    if manifest is None:
        return seconds
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(TrtbuildError):
        for step in ("fix_graph", "quantize"):
            path = paths[step, "model"]
            if (step, WEIGHTS) in paths:
                path = link_together(path, paths[step, WEIGHTS], Path(folder) / step)
            inputs = ModelOutline.read(path).inputs
            feeder = Feeder(inputs, manifest.tensors, loaded.recipe.inputs)
            samples = read_samples(paths[PICK, "samples"], labels=None, name_of=str)
            feed = next(feeder.feeds(itertools.islice(samples, feeder.batch)))
            seconds += _time(path, feed) / feeder.batch / 2
        return seconds
    return 0.0


def _time(model: Path, feed: Feed) -> float:
    """Return the seconds that a model takes for a feed, once it is warm."""
    from trtbuild.model.session import open_session

    session = open_session(model, threads=0)
    session.run(feed.arrays)
    begin = time.perf_counter()
    session.run(feed.arrays)
    return time.perf_counter() - begin
