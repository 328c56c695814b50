"""What adjusting found, layer by layer, and how it is written into an INT8 model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.arrays import ArrayFile, write_npz
from trtbuild.core.options import Options
from trtbuild.model.editor import Editor
from trtbuild.model.folding import fold_value
from trtbuild.model.view import GraphView
from trtbuild.quant.adjusting.layers import Bias, IntegerLayer, find_layers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

__all__ = ["AdjustedLayer", "Adjustments", "AdjustmentsAccount", "add_shift", "write_adjustments"]

WEIGHT, SHIFT = "weight/", "shift/"


@dataclass(frozen=True)
class Adjustments:
    """By the names of layers: weights in INT8, and what is added to each output channel."""

    weights: Mapping[str, npt.NDArray[np.int8]] = field(default_factory=dict)
    shifts: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write them into a file, the same bytes everywhere."""
        with write_npz(path) as writer:
            for name, weight in self.weights.items():
                writer.add(WEIGHT + name, weight)
            for name, shift in self.shifts.items():
                writer.add(SHIFT + name, shift)

    @staticmethod
    def read(path: Path) -> Adjustments:
        """Read them.

        Raises:
            CorruptObject: it is no such file.
        """
        import numpy as np

        weights, shifts = {}, {}
        file = ArrayFile(path)
        for name in file.names:
            values = np.array(file.read(name))
            if name.startswith(WEIGHT):
                weights[name.removeprefix(WEIGHT)] = values
            else:
                shifts[name.removeprefix(SHIFT)] = values
        return Adjustments(weights, shifts)


class AdjustedLayer(Options):
    """What adjusting made of one layer."""

    name: str
    op: str
    before_db: float | None = None
    """SQNR of what it makes, before, all earlier layers being adjusted; None where that is exact.
    """
    after_db: float | None = None
    turned: float = 0.0
    """Share of its weights that are not rounded to the nearest."""
    shift: float = 0.0
    """The largest correction of its bias, as a share of that output's deviation."""


class AdjustmentsAccount(Options):
    """`adjustments.json`: what was adjusted, in the order of the model."""

    samples: int
    layers: tuple[AdjustedLayer, ...]
    left: dict[str, str] = {}
    """Layers of which something was left as it was, and why."""

    def list_gains(self) -> Iterator[tuple[float, str]]:
        """Yield by how many dB what a layer makes came closer to the float model."""
        for layer in self.layers:
            if layer.before_db is not None and layer.after_db is not None:
                yield layer.after_db - layer.before_db, layer.name


def write_adjustments(model: onnx.ModelProto, found: Adjustments) -> None:
    """Write adjustments into an INT8 model, in place; scales stay as they are.

    A layer's bias becomes a constant of its own: another may read the one that it had. Where a Conv
    or a Gemm has none, it gets one.
    """
    from trtbuild.model.weights_file import make_tensor

    layers = {layer.name: layer for layer in find_layers(model)}
    places = {tensor.name: place for place, tensor in enumerate(model.graph.initializer)}
    for name, weight in found.weights.items():
        stored = layers[name].weight
        model.graph.initializer[places[stored]].CopyFrom(make_tensor(weight, stored))
    editor = Editor(model)
    for name, shift in found.shifts.items():
        layer = layers[name]
        assert layer.bias is not None  # noqa: S101  # no other layer is given a shift
        values = add_shift(editor.view, layer, layer.bias, shift)
        tensor = editor.constant(f"{layer.output}_bias", values)
        editor.read((layer.bias.node, layer.bias.slot), tensor)
    editor.finish()


def add_shift(
    view: GraphView, layer: IntegerLayer, bias: Bias, shift: npt.NDArray[np.float32]
) -> npt.NDArray[np.generic]:
    """Return a layer's bias with something added to each channel of its output."""
    import numpy as np

    along = shift.reshape(-1, 1) if layer.on_the_left else shift
    if not bias.tensor:
        return along
    before = fold_value(view, bias.tensor)
    after = before.astype(np.float64) + along.astype(np.float64) / bias.factor
    return after.astype(before.dtype)
