"""What INT8 costs layer by layer, as values."""

from collections.abc import Iterable

from trtbuild.core.comparison import Measure
from trtbuild.core.options import Options

__all__ = [
    "LayerSensitivity",
    "MeasuredLayers",
    "OperandUse",
    "PickedSamples",
    "Sensitivity",
    "find_lowest",
    "find_worst",
    "list_task_metrics",
]

_OF_ANY_OUTPUT = ("sqnr_db", "cosine", "max_abs")
"""Metrics of an output whatever it is for: each layer has its signal over noise anyway."""


class PickedSamples(Options):
    """Some of the samples of a data set, spread evenly over it."""

    of: int
    """How many there are in all."""
    names: tuple[str, ...]
    places: tuple[int, ...]
    """Which of the data set's samples they are, counted from 0."""
    digests: tuple[str, ...]
    labels: tuple[int, ...] = ()
    """The label of each; empty where the data has none."""


class OperandUse(Options):
    """How an activation that a layer reads fills its INT8 range."""

    tensor: str
    limit: float
    """The largest absolute value that the range represents."""
    largest: float
    """The largest absolute value that was seen."""
    clipped: float
    """The share of values beyond the limit."""
    levels: int
    """How many of the 256 levels some value took."""
    bits: float
    """The bits in use: log2 of `levels`."""


class LayerSensitivity(Options):
    """What one layer costs in INT8."""

    name: str
    op: str
    own_db: float | None
    """Signal over noise of the layer's own output, on exact inputs, in dB; None where there is no
    noise, or no signal."""
    operands: tuple[OperandUse, ...]
    """The activations that it reads in INT8."""
    alone: tuple[Measure, ...]
    """The model's outputs with this layer alone in INT8."""
    others: tuple[Measure, ...]
    """The model's outputs with all layers but this one in INT8; empty where that was not run."""

    @property
    def worst_db(self) -> float | None:
        """The least signal over noise of any output with this layer alone in INT8, in dB."""
        return find_lowest(self.alone)

    @property
    def others_db(self) -> float | None:
        """The same with all layers but this one in INT8."""
        return find_lowest(self.others)


class MeasuredLayers(Options):
    """Some layers of a model, measured, in graph order."""

    layers: tuple[LayerSensitivity, ...]
    whole: tuple[Measure, ...] = ()
    """The model's outputs with all layers in INT8, where that was measured too."""
    samples: int = 0
    others: int = 0
    """Operands in INT8 that stand and fall with no layer."""


class Sensitivity(Options):
    """`sensitivity.json`: what quantizing costs, layer by layer, the worst first."""

    runner: str
    """What computed it: numbers from ONNX Runtime are not an engine's, and say so."""
    reference: str
    """What the outputs are compared with, in words."""
    samples: int
    of: int
    """How many samples the data set holds."""
    labelled: bool
    quantized_to: str = "INT8"
    """The type that layers are quantized to."""
    whole: tuple[Measure, ...]
    """The model's outputs with all layers quantized."""
    layers: tuple[LayerSensitivity, ...]
    """Worst first: by the least signal over noise of any output with the layer alone in INT8."""
    asked: tuple[str, ...] = ()
    """The patterns that chose the layers; empty where all were measured."""
    remarks: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


def find_lowest(measures: Iterable[Measure]) -> float | None:
    """Return the least `sqnr_db` among measures; None where there is none."""
    found = find_worst(measures, "sqnr_db")
    return None if found is None else found.value


def find_worst(measures: Iterable[Measure], metric: str) -> Measure | None:
    """Return the output's measure by which a metric is worst; None where there is none."""
    found = [each for each in measures if each.metric == metric and each.value is not None]
    return min(
        found,
        key=lambda each: (each.value or 0.0) * (1 if each.better == "high" else -1),
        default=None,
    )


def list_task_metrics(measures: Iterable[Measure]) -> tuple[str, ...]:
    """Return the metrics that say what the model is for: those by labels, shares, then others."""
    told = [each for each in measures if each.applies and each.metric not in _OF_ANY_OUTPUT]
    ranked = sorted(told, key=lambda each: (not each.own, each.unit != "share"))
    return tuple(dict.fromkeys(each.metric for each in ranked))
