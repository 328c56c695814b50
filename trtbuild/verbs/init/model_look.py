"""ModelLook: what a model shows of itself, whatever file or code it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from trtbuild.core.values import TensorSpec
from trtbuild.verbs.init.entries import Entries

__all__ = ["ModelLook", "Shapes", "TrialRun"]

Shapes = Mapping[str, tuple[int, ...]]


class TrialRun(Protocol):
    """Runs a model once."""

    def __call__(self, shapes: Shapes, values: Mapping[str, tuple[float, float]]) -> Shapes:
        """Return the shapes of the outputs, given those of inputs and where their values lie.

        Raises:
            StepInputError: the model does not run on them.
        """


@dataclass(frozen=True)
class ModelLook:
    """What a model shows of itself."""

    name: str
    """What to call a recipe of it."""
    section: Entries
    """The recipe's `model`."""
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    operators: Mapping[str, int] = field(default_factory=dict)
    """How often each of ONNX's operators is in it."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the file says of itself."""
    folder: Path | None = None
    """Where files may lie that say more."""
    tables: Mapping[str, int] = field(default_factory=dict)
    """Inputs whose values are places in a table, with its number of rows."""
    longest: int | None = None
    """The most tokens that it has places for, where its files say so."""
    states: frozenset[str] = frozenset()
    """Inputs that are the first state of a recurrent layer."""
    shape_inputs: Mapping[str, str] = field(default_factory=dict)
    """Inputs whose values decide sizes, each with the node that has it."""
    scales_pixels: frozenset[str] = frozenset()
    """Inputs that the model itself divides by 255, or takes a mean in 0..255 from."""
    blue_first: frozenset[str] = frozenset()
    """Inputs whose channels are blue, green, red, by the mean that is taken off them."""
    unit_vectors: frozenset[str] = frozenset()
    """Outputs that are brought to length 1."""
    suppresses: bool = False
    """Whether it does non-maximum suppression itself."""
    trial: TrialRun | None = None
    notes: tuple[str, ...] = ()
    """What the reader of the recipe must know."""

    def has(self, *operators: str) -> bool:
        """Tell whether any of some operators is in it."""
        return any(name in self.operators for name in operators)

    @property
    def recurs(self) -> bool:
        """Tell whether it has recurrent layers."""
        return self.has("LSTM", "GRU", "RNN")
