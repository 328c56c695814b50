"""Artifact, Outcome, Record, Comparison: what a run leaves behind to be read."""

from typing import Literal

from trtbuild.core.action import Artifact, Outcome, SizeBytes, Status
from trtbuild.core.comparison import Comparison, GateVerdict, Interval, Measure, UnrunEngine
from trtbuild.core.histograms import ValueCounts
from trtbuild.core.model_checks import Coverage
from trtbuild.core.options import Options
from trtbuild.core.overview import LayerPrecision, Overview, TargetResult
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
    """`calibration` (of weights alone `equalizing`), `comparison`, or both."""
    samples: int
    labelled: bool = False


class PlacedFile(Options):
    """A file below the build directory."""

    path: str
    """Relative, with forward slashes."""
    size_bytes: SizeBytes
    what: str = ""
    """What it is, in a few words."""


class Record(Overview):
    """A whole run, ready to be rendered."""

    facts: dict[str, str]
    unbuilt: tuple[UnbuiltTarget, ...] = ()
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

    def list_asked(self) -> list[str]:
        """Return the precisions asked for, those of layers that no engine tells of among them."""
        return [*(each.precision for each in self.asked), *super().list_asked()]
