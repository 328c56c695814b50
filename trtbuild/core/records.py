"""Artifact, Outcome, Record, Comparison: what a run leaves behind to be read."""

from typing import Literal

from trtbuild.core.action import Artifact, Outcome, SizeBytes, Status
from trtbuild.core.comparison import Comparison, GateVerdict, Interval, Measure, UnrunEngine
from trtbuild.core.engine_memory import EngineMemory
from trtbuild.core.histograms import ValueCounts
from trtbuild.core.model_checks import Coverage
from trtbuild.core.options import Options
from trtbuild.core.quantized_types import INT8, TYPES, QuantizedType
from trtbuild.core.ranges_used import RangesUsed
from trtbuild.core.sensitivity import Sensitivity
from trtbuild.core.timing import BenchResult
from trtbuild.core.tuning import Tuning
from trtbuild.core.values import Range

__all__ = [
    "Artifact",
    "Comparison",
    "DataUse",
    "FixAccount",
    "FixAccounts",
    "GateVerdict",
    "Interval",
    "LayerPrecision",
    "Measure",
    "Outcome",
    "PlacedFile",
    "Record",
    "RequestedLayer",
    "SizeBytes",
    "Status",
    "TargetResult",
    "UnbuiltTarget",
    "UnrunEngine",
]


class RequestedLayer(Options):
    """One weighted node and the precision asked for it."""

    name: str
    """The node's name in the model that was quantized, and in the one that came of it."""
    op: str
    precision: str
    """`int8`, `fp8`, `fp32`, `fp16`, `bf16`; of a model that came quantized, what it brought."""
    reason: str = ""
    """Why it is left float; empty where it is not."""


class LayerPrecision(Options):
    """One weighted layer: the precision asked for and the precision delivered."""

    name: str
    op: str
    asked: str
    delivered: str
    """`int8`, `fp32`, ... as read from the built plan; `unknown` where it cannot be read."""
    cause: str = ""
    """The likely reason where delivered differs from asked; or with what it is computed."""
    by_capability: dict[str, str] = {}
    """Delivered, by compute capability, where an engine tells: TensorRT-RTX's do."""


class TargetResult(Options):
    """`engine.json`: what one target's engine is, what was asked for and what was delivered."""

    target: str
    backend: str
    versions: dict[str, str]
    engine_digest: str
    engine_size_bytes: SizeBytes
    model_digest: str
    ranges: RangesUsed | None = None
    """The ranges that its model was quantized with; None where it was not, or not by trtbuild."""
    built_for: tuple[str, ...]
    """Compute capabilities (`8.9`) or the GPU that the engine is for."""
    inputs: tuple[dict[str, str | list[int | str]], ...]
    outputs: tuple[dict[str, str | list[int | str]], ...]
    profiles: tuple[dict[str, dict[str, list[int]]], ...]
    options: dict[str, str]
    layers: tuple[LayerPrecision, ...]
    asked_int8: int
    delivered_int8: int
    other_types: dict[str, tuple[int, int]] = {}
    """The same of other quantized types: layers asked for in `fp8`, and delivered of them."""
    level: int = 0
    """What a rebuild guarantees: 0 the same model, 1 also the same tactics, 2 the same bytes."""
    level_reason: str = ""
    tactics: str = ""
    """The digest of the compiled program, or of the kernels by layer; empty where not read."""
    memory: EngineMemory | None = None
    """What it takes of its GPU; None where it was built without one."""
    refitted_from: str = ""
    """The digest of the engine whose weights were replaced to make this one: kernels are its."""
    caveats: tuple[str, ...] = ()


class UnbuiltTarget(Options):
    """A target that has no engine after this run, and why."""

    target: str
    backend: str
    status: Literal["deferred", "failed", "not_reached"]
    reason: str
    hint: str = ""
    """What to run, and where, to get it."""


class LeftAlone(Options):
    """A node or tensor that a fix looked at and left alone."""

    name: str
    reason: str


class FixAccount(Options):
    """What one graph fix did."""

    fix: str
    """Its kind; in a record with its options, where it has any: `set_dimension(x, 0, batch)`."""
    changed: tuple[str, ...]
    left: tuple[LeftAlone, ...] = ()
    remarks: tuple[str, ...] = ()


class FixAccounts(Options):
    """`fixes.json`: what each fix did, in the recipe's order."""

    fixes: tuple[FixAccount, ...]


class DataUse(Options):
    """A data source of the recipe and what the run used it for."""

    name: str
    kind: str
    used_for: str
    """`calibration`, `comparison`, or both."""
    samples: int
    labelled: bool = False


class PlacedFile(Options):
    """A file below the build directory."""

    path: str
    """Relative, with forward slashes."""
    size_bytes: SizeBytes
    what: str = ""
    """What it is, in a few words."""


class Record(Options):
    """A whole run, ready to be rendered: it holds values, never paths into the store."""

    recipe: str
    file: str
    facts: dict[str, str]
    outcomes: tuple[Outcome, ...]
    targets: tuple[TargetResult, ...] = ()
    unbuilt: tuple[UnbuiltTarget, ...] = ()
    comparison: Comparison | None = None
    """Of the model that the engines are built from."""
    engine_comparisons: tuple[Comparison, ...] = ()
    """Of the engines themselves, where they could run."""
    unrun_engines: tuple[UnrunEngine, ...] = ()
    """Of those that were to run here and failed: no gate on them is judged."""
    sensitivity: Sensitivity | None = None
    """What INT8 costs, layer by layer; None where the recipe does not ask for it."""
    model: str = ""
    """Where the model comes from, in words: `torch models/resnet50.py:resnet50, opset 20`."""
    data: tuple[DataUse, ...] = ()
    calibrator: str = ""
    """The calibrator with its options: `entropy2 (2048 bins)`."""
    ranges: dict[str, Range] = {}
    """The final table by tensor: calibrated, and manual ones laid over."""
    histograms: dict[str, ValueCounts] = {}
    """How the values of those tensors are spread that lose most in INT8, the worst first."""
    tuning: Tuning | None = None
    """What the last search for less float work found, if it lies in the build directory."""
    bench: BenchResult | None = None
    """What the last `trtbuild bench` measured of these models, if it lies there."""
    asked: tuple[RequestedLayer, ...] = ()
    """Every weighted layer of the quantized model; empty where nothing was quantized."""
    coverage: tuple[Coverage, ...] = ()
    """How much of the work is INT8, target by target."""
    fixes: tuple[FixAccount, ...] = ()
    """In the order in which they ran."""
    files: tuple[PlacedFile, ...] = ()
    refused: bool = False
    """A gate did not pass, and so no model and no engine of this run was placed."""
    waived: bool = False
    """A gate did not pass, and all was placed all the same: `--no-gates` asked for it."""
    kept: tuple[str, ...] = ()
    """Where it was refused, the files of earlier runs that stay."""
    notes: tuple[str, ...] = ()
    """Remarks on the run as a whole; a step's own are in its outcome."""
    warnings: tuple[str, ...] = ()
    """Warnings on the results as a whole; a step's own are in its outcome."""
    caveats: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def quantized(self) -> tuple[QuantizedType, ...]:
        """The quantized types that layers were asked for in; INT8 where none was."""
        every = [each.precision for each in self.asked]
        every += [layer.asked for target in self.targets for layer in target.layers]
        return tuple(TYPES[name] for name in dict.fromkeys(every) if name in TYPES) or (INT8,)

    @property
    def quantized_words(self) -> str:
        """The same in words: `INT8`."""
        return " and ".join(each.word for each in self.quantized)

    def list_warnings(self) -> dict[str, tuple[str, ...]]:
        """Return each warning once, with the steps that gave it: none for the whole."""
        found: dict[str, tuple[str, ...]] = dict.fromkeys(self.warnings, ())
        for outcome in self.outcomes:
            for warning in outcome.warnings:
                found[warning] = (*found.get(warning, ()), outcome.step)
        return found

    def list_comparisons(self) -> tuple[Comparison, ...]:
        """Return what was compared: the model, the engines that ran, and those that did not."""
        first = () if self.comparison is None else (self.comparison,)
        return (*first, *self.engine_comparisons, *self.unrun_engines)

    def only_unrun_engines_fail(self) -> bool:
        """Tell whether the gates that did not pass are all of engines that did not run."""
        unrun = {each.candidate for each in self.unrun_engines}
        lost = {engine for engine, verdict in self.list_verdicts() if not verdict.passed}
        return bool(lost) and lost <= unrun

    def list_failed_steps(self) -> tuple[Outcome, ...]:
        """Return the steps that failed, but for the runs of engines that others do without."""
        spared = {each.step for each in self.unrun_engines}
        return tuple(
            each for each in self.outcomes if each.status == "failed" and each.step not in spared
        )

    def list_verdicts(self) -> tuple[tuple[str, GateVerdict], ...]:
        """Return each gate's verdicts, with the engine that each is on: nothing for the model."""
        return tuple(
            ("" if each is self.comparison else each.candidate, verdict)
            for each in self.list_comparisons()
            for verdict in each.verdicts
        )
