"""What tuning tried, and what came of it, as values."""

from typing import Any

from trtbuild.core.options import Options
from trtbuild.core.quantized_types import QuantizedName
from trtbuild.core.words import join_few

__all__ = ["Standing", "Trial", "TunedFigure", "Tuning"]

_NAMED = 2
"""So many layers, or tensors, are named; of more there is no end."""


class TunedFigure(Options):
    """What a gate looks at, or the signal over noise, in words: `top1 drop`, `0.9 points`."""

    name: str
    found: str
    interval: str = ""
    """Where that lies: `-0.41 to 4.32 points`, 95 % sure or, where the gate asks for another
    confidence, with that in brackets; empty where it is not known."""

    def describe(self) -> str:
        """Say the figure with its interval: `0.50 points, -0.41 to 4.32 points`."""
        return f"{self.found}, {self.interval}" if self.interval else self.found


class Standing(Options):
    """How a candidate does on so many samples."""

    samples: int = 0
    """How many; 0 where it was not compared."""
    passed: bool = False
    """Every gate passes; on the fewest samples, none fails by more than is a sample's chance."""
    shortfall: float = 0.0
    """How far gates are from passing, summed up: in points of a share, dB, or shares of a limit."""
    sqnr_db: float | None = None
    """The least of any output, or of a part that stands out; None where there is none."""
    figures: tuple[TunedFigure, ...] = ()


class Trial(Standing):
    """The recipe with some lines changed, built and compared as a whole."""

    what: str
    """What is new in it, in a few words."""
    options: dict[str, Any] = {}
    """Options of `quantization` that are not as in the recipe."""
    floats: tuple[str, ...] = ()
    """Layers in floating point that the recipe has in INT8."""
    of: int | None = None
    """The trial that it changes further, counted from 0; None for the recipe as it is."""
    problem: str = ""
    """Why it could not be built or compared; what else it says then counts for nothing."""
    fewer: tuple[Standing, ...] = ()
    """How it did on fewer samples before, the fewest first: its own figures are of the most."""
    int8_share: float = 0.0
    """Of the multiply-accumulates of weighted layers, those in INT8."""
    size_bytes: int = 0
    """Of the model with its weights, those in INT8 stored as such."""
    frontier: bool = False
    """Nothing that was tried has as much INT8 and comes closer to passing."""

    @property
    def first(self) -> Standing:
        """How it did on the fewest samples, on which all that were tried can be compared."""
        return self.fewer[0] if self.fewer else self

    def describe(self) -> str:
        """Say all that it changes in the recipe, in a line; nothing where that is nothing."""
        told = [_describe_option(key, value) for key, value in self.options.items()]
        if len(self.floats) > _NAMED:
            told.append(f"{len(self.floats)} layers in float")
        elif self.floats:
            told.append(f"{join_few(self.floats, _NAMED)} in float")
        return ", ".join(told)


class Tuning(Options):
    """`tune.json`: what was tried, and the least change that reaches the gates, if any does."""

    recipe: str
    file: str
    quantized: QuantizedName = "int8"
    """What the recipe quantizes to."""
    passed: bool
    """The best one passes every gate, on the data of `compare`."""
    best: int
    """Which trial that is; 0, the recipe as it is, where nothing is better."""
    trials: tuple[Trial, ...]
    searched_on: str
    """The data set that trials were compared on."""
    whole: int = 0
    """How many samples that holds: a trial with fewer `samples` was compared on a part of it."""
    verified_on: str
    """The data set of `compare`, on which the best one was compared in the end."""
    before: tuple[TunedFigure, ...]
    """Of the recipe as it is, on the data of `compare`."""
    after: tuple[TunedFigure, ...]
    """Of the best one, there too."""
    patch: str = ""
    """What changes in the recipe, as a unified diff; empty where nothing is better."""
    remarks: tuple[str, ...] = ()


def _describe_option(key: str, value: Any) -> str:
    """Say an option in a word or two: `weights mse`, `equalize smooth 0.7`, `x within 404`."""
    if not value:
        return f"no {key}"
    if key == "ranges" and isinstance(value, dict):
        told = [f"{name} within {_say(each, ' to ')}" for name, each in value.items()]
        return join_few(told, _NAMED)
    if key in ("calibrators", "precision") and isinstance(value, dict):
        told = [f"{name} {_say(each)}" for name, each in value.items()]
        return f"{key} {join_few(told, _NAMED)}"
    return f"{key} {_say(value)}"


def _say(value: Any, between: str = " + ") -> str:
    if isinstance(value, dict):
        return " ".join(map(_say, value.values()))
    if isinstance(value, list | tuple):
        return between.join(map(_say, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "on" if value is True else str(value)
