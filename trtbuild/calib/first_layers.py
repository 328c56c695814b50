"""Does the calibration data look like what the model's first layer was trained on?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.calib.histogram import Histogram
from trtbuild.model.weights_file import read_values

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

__all__ = ["FirstLayer", "find_doubts", "find_first_layers"]

_MOVES = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
_LEAST, _MOST = 0.1, 100.0
"""Trained models were found between 2 and 5; pictures in 0..255 for a model that wants 0..1, or
divided by 255 twice, are 255 times off."""


@dataclass(frozen=True)
class FirstLayer:
    """A layer that reads a model input, and how large its weights and biases are."""

    name: str
    tensor: str
    gain: float
    """The median over output channels of the norm of a channel's weights."""
    bias: float
    """The median over output channels of |bias|."""


def find_first_layers(model: onnx.ModelProto, *, folder: Path) -> list[FirstLayer]:
    """Find the Conv and Gemm layers with biases that read a model input; `folder` as for onnx.load.

    Nodes that only move values may stand between.
    """
    import numpy as np

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    near = {value.name for value in model.graph.input} - constants.keys()
    found = []
    for node in model.graph.node:
        if node.op_type in _MOVES and node.input[0] in near:
            near.add(node.output[0])
        if node.op_type not in {"Conv", "Gemm"} or len(node.input) < 3:  # noqa: PLR2004
            continue
        tensor, weight, bias = node.input[:3]
        if tensor in near and weight in constants and bias in constants:
            rows = _rows(node, constants[weight], folder)
            gain = float(np.median(np.linalg.norm(rows, axis=1)))
            middle = float(np.median(np.abs(_array(constants[bias], folder))))
            found.append(FirstLayer(node.name or node.output[0], tensor, gain, middle))
    return found


def find_doubts(layers: Iterable[FirstLayer], histograms: Mapping[str, Histogram]) -> Iterator[str]:
    """Say where data is far from what a first layer suggests, with figures.

    Compares rms(x) * gain, about what the weights make of the data, with the bias, which
    training settled at the same order. Says nothing of a layer without biases.
    """
    for layer in layers:
        seen = histograms.get(layer.tensor)
        if seen is None or not seen.counts.size or not layer.bias or not seen.rms:
            continue
        ratio = seen.rms * layer.gain / layer.bias
        if not _LEAST <= ratio <= _MOST:
            size = "large" if ratio > _MOST else "small"
            yield (
                f"{layer.tensor}: the data looks far too {size} for `{layer.name}`: it spans "
                f"{seen.low:.4g} to {seen.high:.4g} with an rms of {seen.rms:.4g}, which the "
                f"layer's weights make {ratio:.3g} times its biases ({_LEAST:g} to {_MOST:g} is "
                "usual); check scale, mean and std in the preprocessing"
            )


def _rows(node: onnx.NodeProto, weight: onnx.TensorProto, folder: Path) -> NDArray[np.float32]:
    """Return the weights, one row an output channel."""
    array = _array(weight, folder)
    transposed = any(each.name == "transB" and each.i for each in node.attribute)
    if node.op_type == "Gemm" and not transposed:
        array = array.T
    return array.reshape(array.shape[0], -1)


def _array(tensor: onnx.TensorProto, folder: Path) -> NDArray[np.float32]:
    import numpy as np

    return read_values(tensor, folder=folder).astype(np.float32, copy=False)
