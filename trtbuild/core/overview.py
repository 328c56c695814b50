"""Overview: what a run came to, as far as a terminal shows it; TargetResult: one engine of it."""

from trtbuild.core.action import Outcome, SizeBytes
from trtbuild.core.comparison import Comparison, GateVerdict, UnrunEngine
from trtbuild.core.engine_memory import EngineMemory
from trtbuild.core.options import Options
from trtbuild.core.quantized_types import INT8, TYPES, QuantizedType
from trtbuild.core.ranges_used import RangesUsed

__all__ = ["LayerPrecision", "Overview", "TargetResult"]


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


class Overview(Options):
    """What a run came to: values, never paths into the store. A `Record` adds what pages show."""

    recipe: str
    file: str
    outcomes: tuple[Outcome, ...]
    targets: tuple[TargetResult, ...] = ()
    comparison: Comparison | None = None
    """Of the model that the engines are built from."""
    engine_comparisons: tuple[Comparison, ...] = ()
    """Of the engines themselves, where they could run."""
    unrun_engines: tuple[UnrunEngine, ...] = ()
    """Of those that were to run here and failed: no gate on them is judged."""
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

    def list_asked(self) -> list[str]:
        """Return the precisions asked for, layer by layer."""
        return [layer.asked for target in self.targets for layer in target.layers]

    @property
    def quantized(self) -> tuple[QuantizedType, ...]:
        """The quantized types that layers were asked for in; INT8 where none was."""
        asked = dict.fromkeys(self.list_asked())
        return tuple(TYPES[name] for name in asked if name in TYPES) or (INT8,)

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
