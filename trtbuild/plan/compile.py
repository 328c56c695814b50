"""Recipe → steps, in order, with names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from trtbuild.backends.tensorrt.options import MANAGED, GpuTrtOptions, TrtOptions
from trtbuild.core.frozen import frozen
from trtbuild.core.values import Ranges
from trtbuild.plan.adjusting import adjust_weights, equalize, find_float_model
from trtbuild.plan.checks import make_check_step, name_check_step
from trtbuild.plan.comparison import SomeSamples, add_comparison
from trtbuild.plan.engine_runs import name_engine_run
from trtbuild.plan.export_sizes import choose_export_sizes, list_profiles, list_value_inputs
from trtbuild.plan.native_calibration import calibrate_natively, find_native_targets
from trtbuild.plan.observed import RecallObserved
from trtbuild.plan.plan import Plan, iterate_inputs, plan_steps
from trtbuild.plan.precision import add_conversion, add_peaks, find_measured_data
from trtbuild.plan.preview import PreviewRequest, add_previews
from trtbuild.plan.quantizing import add_quantization, add_ranges
from trtbuild.plan.refitting import RefitRequest, refit_instead
from trtbuild.plan.sensitivity import add_sensitivity
from trtbuild.plan.timing import TimedData, pick_timed
from trtbuild.recipe.schema import LayerMeasurement, Quantization, Recipe
from trtbuild.steps.base import Pinned, Ref, Step
from trtbuild.steps.build_engine import BuildEngine
from trtbuild.steps.capture_data import CaptureData, DataInput
from trtbuild.steps.fix_graph import FixGraph, FixInput
from trtbuild.steps.import_model import ImportModel

__all__ = [
    "CompileContext",
    "add_captures",
    "compile_recipe",
    "list_used_data",
    "name_capture_step",
    "name_target_step",
]


def name_capture_step(data: str) -> str:
    """Return the name of the step that captures a data source."""
    return f"capture_data({data})"


def name_target_step(target: str) -> str:
    """Return the name of the step that builds a target."""
    return f"build_engine({target})"


@frozen
class CompileContext:
    """What a recipe is compiled against: its files, this machine, and what builds before left."""

    base: Path
    """The folder that paths in the recipe relate to."""
    pin: Callable[[Path], Pinned]
    """Gives a file its digest."""
    facts: Mapping[str, str]
    """Versions by package, where steps run that no target has a place for."""
    weights: Pinned | None = None
    """The file of weights that a torch model takes, if there is one."""
    reference_weights: Pinned | None = None
    """The same of the model that the comparison takes as right."""
    deferred: Mapping[str, str] = field(default_factory=dict)
    """Why a target cannot be built, by its name."""
    elsewhere: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The facts of the place where a target is built, by its name, where it is another place."""
    runners: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The facts of the place where a target's engine can run, by its name; others are not run."""
    warm: Mapping[str, Path] = field(default_factory=dict)
    """The timing cache that a target's last build left."""
    ranges: Ranges | None = None
    """Those of a lock: nothing is calibrated then."""
    observe: RecallObserved | None = None
    """Adds what user code was seen to rest on to what its step declares."""
    absent: Collection[str] = ()
    """Data that is not pinned: the steps that read it stand in the plan, and cannot run."""
    layers: LayerMeasurement | None = None
    """Measure layers one by one as this says, whatever the recipe says of that."""
    some: SomeSamples | None = None
    """Compare on these alone."""
    known: tuple[str, str] | None = None
    """Files of what the candidate made of some samples before, and of which: see `Infer.known`."""
    preview: PreviewRequest | None = None
    """Show some samples of data sets, be they read by something else or not."""
    timed: TimedData | None = None
    """Take some samples of a data set out, to be fed while models are timed."""
    refit: RefitRequest | None = None
    """Let an engine that is built take other weights, in the place of building it."""

    def pinned(self, paths: Iterable[Path]) -> tuple[Pinned, ...]:
        """Give several files their digests."""
        return tuple(self.pin(path) for path in paths)


def compile_recipe(recipe: Recipe, here: CompileContext) -> Plan:
    """Compile a recipe into a plan.

    Raises:
        MissingFile: a file that the recipe names is not there.
    """
    steps = _model_steps(recipe, here)
    data = add_captures(recipe, steps, here)
    if recipe.quantization is not None:
        equalize(recipe.quantization, steps, data)
    peaks = add_peaks(recipe, steps, data)
    final = add_conversion(recipe, steps, peaks)
    if recipe.quantization is not None:
        found = add_ranges(recipe.quantization, steps, data, here)
        calibrate_natively(recipe, steps, data)
        if here.ranges is not None and "calibrate" in steps:
            from trtbuild.steps.locked_ranges import LockedRanges

            steps["calibrate"] = LockedRanges(table=here.ranges)
        add_quantization(recipe.quantization, steps, found, peaks, here)
        adjust_weights(recipe.quantization, steps, data)
    _add_engines(recipe, steps, here)
    add_comparison(recipe, steps, data, final, here)
    add_sensitivity(recipe, steps, data, here)
    add_previews(recipe, steps, data, here)
    pick_timed(steps, data, here)
    refit_instead(recipe, steps, data, here)
    if here.ranges is not None:
        _drop_unread(steps)
    # A step of a target runs where that target is built, or not at all.
    targets = {name_target_step(name): name for name in recipe.targets} | find_native_targets(
        recipe, steps
    )
    return plan_steps(
        recipe.name,
        steps,
        facts=here.facts,
        elsewhere={s: here.elsewhere[t] for s, t in targets.items() if t in here.elsewhere}
        | {name_engine_run(target): facts for target, facts in here.runners.items()},
        deferred={s: here.deferred[t] for s, t in targets.items() if t in here.deferred},
        observe=here.observe,
    )


def _model_steps(recipe: Recipe, here: CompileContext) -> dict[str, Step]:
    return {
        "import_model": ImportModel(
            model=recipe.model,
            files=here.pinned(recipe.model.find_files(here.base)),
            weights=here.weights,
            sizes=choose_export_sizes(recipe, recipe.model, here.base),
            base=str(here.base),
        ),
        "fix_graph": FixGraph(
            model=Ref(step="import_model", output="model"),
            fixes=recipe.fixes,
            inputs=tuple(_find_fix_inputs(recipe, here)),
            base=str(here.base),
        ),
    }


def _find_fix_inputs(recipe: Recipe, here: CompileContext) -> Iterator[FixInput]:
    for place, fix in enumerate(recipe.fixes):
        if files := fix.find_files(here.base):
            yield FixInput(fix=place, files=here.pinned(files))


def _drop_unread(steps: dict[str, Step]) -> None:
    """Leave out data that only calibration would have read."""
    read = {ref.step for step in steps.values() for _, ref in iterate_inputs(step)}
    for name, step in list(steps.items()):
        if isinstance(step, CaptureData) and name not in read:
            del steps[name]


def list_used_data(recipe: Recipe) -> list[str]:
    """Return the names of the data sets that something reads."""
    used = [section.data for section in (recipe.quantization, recipe.compare) if section]
    used.append(find_measured_data(recipe))
    return list(dict.fromkeys(name for name in used if name is not None))


def add_captures(
    recipe: Recipe, steps: dict[str, Step], here: CompileContext
) -> dict[str, DataInput]:
    """Capture each data set that something reads or shows, and return what reads them by name.

    Raises:
        MissingFile: a file that one of them names is not there.
    """
    inputs = {}
    shown = [
        *(here.preview.data if here.preview else ()),
        *([here.timed.name] if here.timed else []),
    ]
    for name in dict.fromkeys((*list_used_data(recipe), *shown)):
        source, step = recipe.data[name], name_capture_step(name)
        files = () if name in here.absent else here.pinned(source.find_files(here.base))
        labels = () if name in here.absent else source.find_labels(here.base)
        steps[step] = CaptureData(source=source, files=files, labels=labels, base=str(here.base))
        inputs[name] = DataInput(
            source=source,
            # What is stored is read from the store: how it came about has no say any more.
            files=() if source.captured else files,
            manifest=Ref(step=step, output="manifest"),
            stored=Ref(step=step, output="samples"),
            inputs=recipe.inputs,
        )
    return inputs


def _add_engines(recipe: Recipe, steps: dict[str, Step], here: CompileContext) -> None:
    for name, backend in recipe.targets.items():
        timed = backend if isinstance(backend, GpuTrtOptions) else None
        managed = timed is None or timed.timing_cache == MANAGED
        plugins = backend.plugins if isinstance(backend, TrtOptions) else ()
        parts = _choose_model(recipe.quantization, steps)
        check = make_check_step(recipe, name, model=parts["model"])
        if check is not None:
            steps[name_check_step(name)] = check
        steps[name_target_step(name)] = BuildEngine(
            target=name,
            backend=backend,
            **parts,
            checked=None if check is None else Ref(step=name_check_step(name), output="passed"),
            profiles=list_profiles(recipe),
            values=list_value_inputs(recipe),
            plugins=here.pinned(here.base / path for path in plugins),
            timing_cache=None
            if timed is None or managed
            else here.pin(here.base / timed.timing_cache),
            warm=str(here.warm[name]) if managed and name in here.warm else None,
        )


def _choose_model(section: Quantization | None, steps: Mapping[str, Step]) -> dict[str, Any]:
    """Return what an engine is built from: the float model, with ranges beside it or within."""
    float_model = find_float_model(steps)
    if section is None and "convert_precision" in steps:
        return {
            "model": Ref(step="convert_precision", output="model"),
            "account": Ref(step="convert_precision", output="account"),
        }
    if section is None:
        return {"model": float_model}
    account = Ref(step="quantize", output="account")
    if section.mode == "explicit":
        return {"model": Ref(step="quantize", output="model"), "account": account}
    return {
        "model": float_model,
        "account": account,
        "ranges": Ref(step="quantize", output="ranges"),
        "skip": section.floats,
        "precision": section.precision,
    }
