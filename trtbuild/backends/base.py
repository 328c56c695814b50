"""Backend, Capabilities, BuildOrder, BuildResult: what every backend does and can do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Protocol

from trtbuild.core.frozen import frozen
from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.needs import Needs

if TYPE_CHECKING:
    from trtbuild.core.engine_memory import EngineMemory
    from trtbuild.core.records import LayerPrecision, RequestedLayer, TargetResult
    from trtbuild.core.values import Ranges, TensorSpec

__all__ = [
    "Backend",
    "BuildOrder",
    "BuildResult",
    "BuiltEngine",
    "Capabilities",
    "Fit",
    "FitVerdict",
    "Guarantee",
    "ImplicitQuantization",
    "Profile",
    "ReportProgress",
    "ShapeRange",
]

ShapeRange = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""min, opt, max."""
Profile = Mapping[str, ShapeRange]
"""An optimization profile: input → (min, opt, max)."""
ReportProgress = Callable[[int, int, str], None]
"""done, total, unit."""


@frozen
class Capabilities:
    """What a backend can do, readable without importing it."""

    modes: tuple[str, ...]
    """Quantization modes: explicit, implicit."""
    native_calibrators: tuple[str, ...]
    typing: tuple[str, ...]
    runs_without_gpu: bool
    """Engines can be built on a machine without a GPU."""
    packages: tuple[str, ...]
    """The facts it needs: installed distributions, by name."""
    install: str
    """The command that installs it."""
    major: int | None = None
    """The major version that the first of its packages must have."""


@frozen
class ImplicitQuantization:
    """Quantization without Q/DQ pairs: ranges by tensor, and the nodes that must stay float."""

    ranges: Ranges
    manual: tuple[str, ...] = ()
    """Tensors whose range somebody chose: one that the network lacks is an error."""
    floats: tuple[str, ...] = ()
    """ONNX nodes that the recipe asks to compute in float."""
    encode: Callable[[str, Mapping[str, float]], bytes] | None = None
    """Writes a calibration cache for a version of TensorRT: scales by tensor."""


def _say_nothing(done: int, total: int, unit: str) -> None:
    """Report no progress."""


@frozen
class BuildOrder:
    """What to build, and all that a backend may need for it."""

    model: Path
    """The ONNX model."""
    engine: Path
    """The file to write; a timing cache is left beside it."""
    profiles: Sequence[Profile] = ()
    requested: Sequence[RequestedLayer] = ()
    """The layers to tell of, in this order."""
    progress: ReportProgress = _say_nothing
    plugins: tuple[Path, ...] = ()
    timing_cache: Path | None = None
    timing_cache_pinned: bool = False
    """The recipe names it, so it must be good; else it is what an earlier build left."""
    implicit: ImplicitQuantization | None = None
    """Ranges for a model without pairs; None for any other."""
    values: Collection[str] = ()
    """The inputs for which profiles have values, not shapes."""
    log_level: LogLevel = USUAL
    """How much of what the builder says is written down; nothing else depends on it."""


@frozen
class BuildResult:
    """What a build made."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    options: dict[str, str]
    """What was set, in words: flags by name, pools in bytes."""
    layers: tuple[LayerPrecision, ...]
    notes: tuple[str, ...] = ()
    """Warnings of the builder that a reader of the report should see."""
    tactics: str = ""
    """The digest of what stays the same in a build of level 1; empty where it cannot be read."""
    memory: EngineMemory | None = None
    """What the engine takes of its GPU, where it says so."""


@frozen
class Guarantee:
    """How alike two builds of one target are, from the same model with the same versions.

    Level 0: the model is the same, byte for byte, and the engine within the gates. Level 1: also
    the engine's tactics are the same. Level 2: also its bytes.
    """

    level: int
    reason: str


@frozen
class BuiltEngine:
    """What is known of an engine without loading it."""

    version: str
    """Of the library that it is of; empty where nothing says it."""
    built_for: tuple[str, ...]
    """Compute capabilities, or a GPU."""
    result: TargetResult | None
    """Its engine.json, if there is one."""


FitVerdict = Literal["yes", "no", "not known"]


class Fit(NamedTuple):
    """Whether an engine runs on a machine, and why."""

    verdict: FitVerdict
    reason: str


class Backend(Protocol):
    """A target's kind: its options are fields, the build is a method."""

    kind: str
    capabilities: ClassVar[Capabilities]

    def built_for(self) -> tuple[str, ...]:
        """Name the compute capabilities or GPU an engine of this target is for."""

    @classmethod
    def judge_fit(cls, engine: BuiltEngine, facts: Mapping[str, str]) -> Fit:
        """Say whether an engine of this kind fits where these facts hold: without any, anywhere."""

    def needs(self) -> Needs:
        """Say what a build takes up where it runs."""

    def guarantee(self, inputs: Sequence[TensorSpec]) -> Guarantee:
        """Say how alike two engines are that are built of one model with these inputs."""

    def build(self, order: BuildOrder) -> BuildResult:
        """Build an engine, and read back what was delivered.

        Raises:
            StepInputError: the builder refused the model; quotes its messages.
            MissingDependency: the backend is not installed.
            NoGpu: it builds on a GPU alone, and there is none for it.
        """
