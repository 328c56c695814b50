"""Ranges of a model's tensors, spread over those that TensorRT's parser makes of it.

It stands alone, for `trtbuild script` prints it: nothing of trtbuild is imported here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["list_tensors", "read_onnx_nodes", "spread_limits"]

MOVES = ("SHUFFLE", "IDENTITY", "SLICE", "GATHER", "SQUEEZE", "UNSQUEEZE", "RESIZE")
"""Layers whose output holds their input's values, so its range too."""
FLOATS = ("FLOAT", "HALF", "BF16")
NODE = "[ONNX Layer: "


def spread_limits(
    trt: Any, known: Mapping[str, float], layers: list[Any], tensors: Mapping[str, Any]
) -> dict[str, float]:
    """Return the limit of each tensor: its own, or that of the values it holds.

    The parser makes several layers of some nodes, and names what lies between them itself; what is
    moved keeps its range, and what is within a node gets the range of the node's output. Of a
    constant it is the largest absolute value.
    """
    limits = {name: known[name] for name in tensors if name in known}
    made_by = {
        str(layer.get_output(index).name): layer
        for layer in layers
        for index in range(layer.num_outputs)
        if layer.get_output(index) is not None
    }
    for name in tensors:
        layer = made_by.get(name)
        if name in limits or layer is None:
            continue
        limit = _find_moved_limit(layer, limits) or _find_limit_in_layer(layer, layers, limits)
        if limit:
            limits[name] = limit
    limits |= dict(_constants(trt, layers))
    return {name: limits[name] for name in tensors if limits.get(name, 0) > 0}


def list_tensors(network: Any, layers: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield every tensor of a network that holds float values and is no shape, by name."""
    for index in range(network.num_inputs):
        yield from _list_floating(network.get_input(index))
    for layer in layers:
        for index in range(layer.num_outputs):
            yield from _list_floating(layer.get_output(index))


def _list_floating(tensor: Any) -> Iterator[tuple[str, Any]]:
    if tensor is not None and tensor.dtype.name in FLOATS and not tensor.is_shape_tensor:
        yield str(tensor.name), tensor


def _find_moved_limit(layer: Any, limits: Mapping[str, float]) -> float | None:
    source = layer.get_input(0) if layer.num_inputs else None
    if source is None or layer.type.name not in MOVES:
        return None
    return limits.get(str(source.name))


def _find_limit_in_layer(
    layer: Any, layers: list[Any], limits: Mapping[str, float]
) -> float | None:
    nodes = set(read_onnx_nodes(layer))
    outputs = (
        limits.get(str(other.get_output(index).name))
        for other in reversed(layers)
        if nodes & set(read_onnx_nodes(other))
        for index in range(other.num_outputs)
        if other.get_output(index) is not None
    )
    return next((limit for limit in outputs if limit), None)


def _constants(trt: Any, layers: list[Any]) -> Iterator[tuple[str, float]]:
    """Yield the limit of each constant: the largest absolute value that it has."""
    import numpy as np

    for layer in layers:
        if layer.type.name == "CONSTANT":
            layer.__class__ = trt.IConstantLayer  # only so does it show its weights
            values = np.asarray(layer.weights)
            if values.size and values.dtype.kind == "f":
                yield str(layer.get_output(0).name), float(np.abs(values).max())


def read_onnx_nodes(layer: Any) -> tuple[str, ...]:
    """Return the ONNX nodes that a layer came from, by its metadata."""
    return tuple(
        part.rstrip("\x1e\x1f").removesuffix("]")
        for part in str(layer.metadata or "").split(NODE)[1:]
    )
